use super::*;
use proptest::prelude::*;

const SITE: &str = r#"
interval = "2s"
rails = ["ib*"]
peers = ["172.16.0.1", "fd00::1"]
ignore = ["RAIL_NO_ADDRESS"]

[names]
"mlx5_0/1" = "storage-a"

[thresholds]
balance_unfair_ratio = 0.5

[[group]]
name = "storage"
rails = ["ib0", "ib1"]
"#;

fn parsed(text: &str) -> Result<Config, Problem> {
    Config::of(&[File::parse("site.toml", text)?])
}

#[test]
fn every_key_is_taken() {
    let config = parsed(SITE).unwrap();
    assert_eq!(config.interval, Some(Duration::from_secs(2)));
    assert_eq!(config.rails, ["ib*"]);
    assert_eq!(config.peers.len(), 2);
    assert_eq!(config.policy().ignore, ["RAIL_NO_ADDRESS"]);
    assert_eq!(config.policy().thresholds.balance_unfair_ratio.to_string(), "0.5");
    assert_eq!(config.policy().thresholds.balance_floor_ratio.to_string(), "0.01");
    assert_eq!(config.groups().first().unwrap().rails, ["ib0", "ib1"]);
    assert_eq!(config.rail_names().first().unwrap().name, "storage-a");
    assert_eq!(parsed("").unwrap(), Config::default());
}

#[test]
fn mistakes_are_told_with_their_line() {
    let told = |text: &str| parsed(text).unwrap_err().to_string();
    let typo = told("bits = true\nintervall = \"2s\"\n");
    assert!(typo.starts_with("site.toml:2: unknown field `intervall`"), "{typo}");
    let unit = told("\n\ninterval = \"fast\"\n");
    assert!(unit.starts_with("site.toml:3: not a time"), "{unit}");
    let id = told("bits = true\nignore = [\"PORT_DWN\"]\n");
    assert!(id.starts_with("site.toml:2: no finding has the id \"PORT_DWN\""), "{id}");
    let limit = told("[thresholds]\nbalance_unfair_ratio = 7\n");
    assert!(limit.starts_with("site.toml:2: "), "{limit}");
    let limit = told("[thresholds]\nbalance_unfair_ratio = 7.0\n");
    assert_eq!(limit, "site.toml:2: balance_unfair_ratio is 7: expected 0 to 1");
    let counter = told("[thresholds.counters]\nport_rcv_packets = 7\n");
    assert!(counter.contains("port_rcv_packets is no error counter"), "{counter}");
    let twice = told("[names]\n\"mlx5_0/1\" = \"a\"\n\"mlx5_1/1\" = \"a\"\n");
    assert_eq!(twice, "site.toml: two rails are named \"a\"");
    let groups = told("group = [{ name = \"a\", rails = [] }, { name = \"a\", rails = [] }]\n");
    assert!(groups.ends_with("two groups are named \"a\""), "{groups}");
    let nested = told("[thresholds]\nfloor = 1.0\n");
    assert!(nested.starts_with("site.toml:2: unknown field `floor`"), "{nested}");
    let glob = told("rails = [\"ib[\"]\n");
    assert!(glob.starts_with("site.toml:1: \"ib[\""), "{glob}");
    let group = told("[[group]]\nname=\"a\"\nrails=[]\n[[group]]\nname=\"a\"\nrails=[]\n");
    assert!(group.contains("two groups"), "{group}");
    assert!(told("bits = \n").starts_with("site.toml:1: "));
}

#[test]
fn the_users_file_replaces_the_sites_key_by_key() {
    let site = File::parse("/etc/railtop/config.toml", SITE).unwrap();
    let text = "rails = [\"mlx5_*\"]\n[thresholds]\nbalance_floor_ratio = 0.02\n\
                [names]\nib1 = \"b\"\n";
    let user = File::parse("user.toml", text).unwrap();
    let config = Config::of(&[site.clone(), user.clone()]).unwrap();
    assert_eq!(config.rails, ["mlx5_*"]);
    assert_eq!(config.interval, Some(Duration::from_secs(2)));
    assert_eq!(config.thresholds.balance_unfair_ratio.to_string(), "0.5");
    assert_eq!(config.thresholds.balance_floor_ratio.to_string(), "0.02");
    assert_eq!(config.names.len(), 2);

    let shown = effective(&config, &[site, user], &["interval"]);
    let line = |key: &str| shown.lines().find(|l| l.starts_with(key)).unwrap_or_default();
    assert!(line("interval = ").ends_with("# command line"), "{shown}");
    assert!(line("rails = ").ends_with("# user.toml"), "{shown}");
    assert!(line("balance_unfair_ratio").ends_with("# /etc/railtop/config.toml"), "{shown}");
    assert!(line("bits = ").ends_with("# default"), "{shown}");
}

#[test]
fn what_is_shown_can_be_read_back() {
    for text in [SITE, "", "theme = \"mono\"\nlnetctl = \"/opt/lustre/lnetctl\"\n"] {
        let files = [File::parse("a.toml", text).unwrap()];
        let config = Config::of(&files).unwrap();
        let again = parsed(&effective(&config, &files, &[])).unwrap();
        let interval = config.interval.or(Some(Duration::from_secs(1)));
        assert_eq!(again, Config { interval, ..config });
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "(\\PC|\n)*") {
        let _ = File::parse("x", &text);
    }
}
