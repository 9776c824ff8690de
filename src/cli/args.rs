//! Options and subcommands.

mod global;
mod help;

pub(super) use global::Global;
pub(super) use help::parse;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// The scenario of a bare `--demo`.
pub(super) const DEMO: &str = "balanced";

const SUBCOMMANDS: [&str; 13] = [
    "check", "fix", "path", "why", "ibstat", "ip2nets", "run", "stream", "capture", "explain",
    "expect", "config", "help",
];

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "railtop",
    version,
    about = "A dashboard for nodes with several network rails, InfiniBand above all",
    long_about = "A dashboard for nodes with several network rails, InfiniBand above all.\n\n\
        It shows which rail is dead or sick and which layer failed first, how evenly the rails \
        share the load, and why. It only reads, and needs no privilege; what root would add is \
        said where it is missing.",
    after_help = "Examples:\n  \
        railtop                          this node, live\n  \
        railtop --interval 500ms --bits  twice a second, in bits\n  \
        railtop --rail 'ib*'             these rails only\n  \
        railtop --demo dead-rail         a simulated node\n  \
        railtop --from oss07.tar.zst     a capture of another node",
    args_conflicts_with_subcommands = false,
    disable_help_subcommand = false,
    max_term_width = 100
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) global: Global,
}

/// What to do instead of the dashboard.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One report and an exit code: 0 healthy, 1 warnings, 2 critical, 3 no rail could be judged
    Check(Check),
    /// What to type to mend what was found; printed, never run
    Fix(Fix),
    /// Which rail the kernel takes from each rail address to each destination
    Path(Path),
    /// What ibstat prints, without infiniband-diags
    Ibstat(Ibstat),
    /// What LNet would configure here from these rules, and what surprises they hold
    Ip2nets(Ip2nets),
    /// Why a rail carries what it carries: every layer of it, and LNet's choice
    Why(Why),
    /// What a command does to the rails: bytes, mean, p95, peak, share, balance
    Run(Run),
    /// One JSON object per sample on stdout, or plain lines for awk
    Stream(Stream),
    /// Everything railtop reads, raw, into a directory or archive
    Capture(Capture),
    /// What a finding means, why it matters, where that is written
    Explain(Explain),
    /// Learn what this node is, and check it against that ever after
    Expect(Expect),
    /// The configuration in force, and which file or option decided
    Config(Config),
}

/// Options of `expect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file is TOML; a key that is left out is not compared. Without FILE it is that of the \
        key expect of the configuration. Only what differs from it is told; railtop check tells it beside \
        all else, with --expect FILE or that key. Exit codes are those of check.\n\n\
        Examples:\n  \
        railtop expect --save > /etc/railtop/expect.toml\n  \
        railtop expect /etc/railtop/expect.toml\n  \
        railtop check --expect /etc/railtop/expect.toml"
)]
pub(super) struct Expect {
    /// Learn: write the manifest of this node to FILE, to stdout without one
    #[arg(long)]
    pub(super) save: bool,
    /// The manifest
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// JSON
    #[arg(long, conflicts_with = "save")]
    pub(super) json: bool,
}

/// Options of `config`.
#[derive(Debug, clap::Args)]
#[command(after_help = CONFIG_HELP)]
pub(super) struct Config {}

const CONFIG_HELP: &str = "\
The output is a configuration file. Read are /etc/railtop/config.toml and then
$XDG_CONFIG_HOME/railtop/config.toml (else ~/.config/railtop/config.toml), whose keys replace the
first one's; or only the file of --config. Options of the command line replace both. A key that is
not known is an error, with its line.

  interval = \"1s\"                 time between samples
  rails = [\"ib*\"]                 globs over rail, interface and RDMA names; as --rail
  exclude = []                    as --exclude
  peers = [\"172.16.0.1\"]          addresses that the rails are meant to reach
  theme = \"auto\"                  auto, truecolor, indexed, ansi, mono
  bits = false                    as --bits
  ascii = false                   as --ascii
  lnetctl = \"/usr/sbin/lnetctl\"   as --lnetctl
  expect = \"/etc/railtop/expect.toml\"   what the node should be: see railtop expect
  ignore = [\"RAIL_NO_ADDRESS\"]    findings to leave out, with what follows from them
  [names]                         \"mlx5_0/1\" = \"storage-a\"
  [[group]]                       name = \"storage\", rails = [\"ib0\", \"ib1\"]: meant to share load
  [thresholds]                    limits; railtop config prints them all

Examples:
  railtop config
  railtop config > ~/.config/railtop/config.toml";

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// The object of `stream`, with `not_checked`
    Json,
    /// One line and performance data for Nagios, Icinga, Naemon; exit codes are the plugin's
    Nagios,
    /// Test suites in XML for CI systems: one per rail, one case per layer
    Junit,
}

/// Options of `check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Two samples are taken, one --interval apart, so that rates are known. Exit code: 0 \
        healthy or notes only, 1 warnings, 2 critical, 3 no rail could be judged, 64 usage. What \
        --ignore or --only leave out is named under \"not checked\" and does not count.\n\n\
        Examples:\n  \
        railtop check\n  \
        railtop check --format nagios --ignore RAIL_NO_ADDRESS\n  \
        railtop check --format json | jq '.findings[] | {id, rails, summary}'\n  \
        railtop check --from oss07.tar.zst\n  \
        railtop check --peer oss07.tar.zst --peer 172.16.16.2"
)]
pub(super) struct Check {
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// The same as --format json
    #[arg(long)]
    pub(super) json: bool,
    /// Leave out these findings and what follows from them; may be given again, or with commas
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = global::finding)]
    pub(super) ignore: Vec<String>,
    /// What the node should be: a manifest of railtop expect --save
    #[arg(long, value_name = "FILE")]
    pub(super) expect: Option<PathBuf>,
    /// Only these findings count
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = global::finding)]
    pub(super) only: Vec<String>,
    #[command(flatten)]
    pub(super) peers: Peers,
}

/// Who this node talks to, beside what LNet says.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Peers {
    /// A peer to reach over the rails: its address, or a capture of it, which is compared with
    /// this node (MTU, prefix lengths, which rail answers come back by); may be given again
    #[arg(long, value_name = "ADDRESS|PATH")]
    pub(super) peer: Vec<String>,
}

/// Options of `fix`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The output is a script: commands for this node stand bare, all else is comment. \
        Each line may be run again. Nothing is run by railtop.\n\n\
        Examples:\n  \
        railtop fix\n  \
        railtop fix ROUTE_DUP_CONNECTED --persist=netplan\n  \
        railtop fix --json | jq -r '.steps[].commands[]'"
)]
pub(super) struct Fix {
    /// Ids of findings; without one, all that were found
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    #[command(flatten)]
    pub(super) peers: Peers,
    /// The form that survives a reboot too: networkmanager, netplan, networkd, ifupdown, nmstate,
    /// ifcfg, wicked; without a name, of the manager that keeps the rails
    #[arg(long, value_name = "MANAGER", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(super) persist: Option<String>,
    /// JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `path`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without destinations: a few of LNet's peers and of the neighbours for each prefix of \
        the rails, else one probe. \
        On this node the kernel is asked the same questions; where it decides otherwise, that is \
        shown.\n\n\
        Examples:\n  \
        railtop path\n  \
        railtop path 172.16.16.1 --source 172.16.34.2\n  \
        railtop path --from oss07.tar.zst 10.1.0.1"
)]
pub(super) struct Path {
    /// Destinations
    #[arg(value_name = "DST")]
    pub(super) destinations: Vec<std::net::IpAddr>,
    /// Only this source address (`--from ADDRESS` does the same)
    #[arg(long, value_name = "ADDRESS")]
    pub(super) source: Option<std::net::IpAddr>,
    /// JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `ibstat`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The output is that of ibstat(8), byte for byte, and so is the exit code: 0, or 255 where a \
        device or port is not there or cannot be read. Unlike ibstat, one device that cannot be \
        read hides none of the others, and a device may have ten ports and more.\n\n\
        Examples:\n  \
        railtop ibstat\n  \
        railtop ibstat mlx5_0 1\n  \
        railtop ibstat -p --from oss07.tar.zst"
)]
pub(super) struct Ibstat {
    /// Names of the devices alone
    #[arg(short = 'l', long = "list_of_cas")]
    pub(super) list: bool,
    /// Without the ports
    #[arg(short = 's', long = "short")]
    pub(super) short: bool,
    /// GUIDs of the ports alone
    #[arg(short = 'p', long = "port_list")]
    pub(super) ports: bool,
    /// Only this device
    #[arg(value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// Only this port of it
    #[arg(value_name = "PORT")]
    pub(super) port: Option<u32>,
}

/// Who reads rules for LNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum EngineChoice {
    /// The kernel: ip2nets= of modprobe.d, lnetctl net add --ip2net
    Kernel,
    /// lnetctl import: the ip2nets: and net: sections of lnet.conf
    Yaml,
    /// The kernel: networks= of modprobe.d
    Networks,
}

/// Options of `ip2nets`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without rules: what modprobe.d and /etc/lnet.conf of this node say. A file may be a \
        modprobe.d file, YAML for lnetctl import, or bare rules; which it is, is told from what \
        stands in it. Nothing is loaded or changed; a rule that would stop a kernel is called \
        dangerous. Exit code: 0, 1 if LNet would not start or the import fail, 64 usage.\n\n\
        Examples:\n  \
        railtop ip2nets\n  \
        railtop ip2nets 'o2ib(ib0) 10.20.*.*; o2ib(ib1) 10.21.*.*'\n  \
        railtop ip2nets --lnet 2.12 'tcp(eth2) 10.1.0.[4-10/2]; tcp(eth1) *.*.*.*'\n  \
        railtop ip2nets --engine networks 'o2ib(ib0,ib1), tcp(bond0)'\n  \
        railtop ip2nets --from oss07.tar.zst new-lnet.conf\n  \
        railtop ip2nets --json /etc/modprobe.d/lustre.conf | jq -r '.nids[]'"
)]
pub(super) struct Ip2nets {
    /// Rules in quotes, or a file that holds them
    #[arg(value_name = "RULES|FILE", allow_hyphen_values = true)]
    pub(super) rules: Option<String>,
    /// Who reads them
    #[arg(long, value_enum)]
    pub(super) engine: Option<EngineChoice>,
    /// As this version of Lustre; else the one installed, else the newest known
    #[arg(long, value_name = "VERSION")]
    pub(super) lnet: Option<String>,
    /// JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `why`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Layer by layer from the cable to the traffic; the first that fails is the one to \
        mend. Below that, how LNet chooses among the rails of a net, with the values of this node. \
        What is known only to root is said to be unknown.\n\n\
        Examples:\n  \
        railtop why ib1\n  \
        railtop why\n  \
        railtop why --json ib1 | jq '.selection[] | select(.decides)'\n  \
        railtop why --from oss07.tar.zst mlx5_2"
)]
pub(super) struct Why {
    /// A rail, its interface or its RDMA device; without one, all rails
    #[arg(value_name = "RAIL")]
    pub(super) name: Option<String>,
    /// JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command keeps its stdin, stdout and stderr, and its exit code is railtop's: 128 + n \
        if signal n ended it, 127 if it was not found, 126 if it could not be started. SIGINT, SIGQUIT, \
        SIGTERM and SIGHUP that somebody sends to railtop go on to it. The report comes after its end, on \
        stderr, or into the file of --output. Bytes are exact counter differences, all traffic of the rails \
        in that time, not only the command's.\n\n\
        Examples:\n  \
        railtop run -- dd if=/scratch/f of=/dev/null bs=16M iflag=direct\n  \
        railtop run --label 'stripe 4' --json --output c4.json -- ior -r -F\n  \
        railtop run --repeat 3 -- ./read.sh\n  \
        railtop run --compare c1.json c2.json c4.json"
)]
pub(super) struct Run {
    /// What the report calls it; else the command
    #[arg(long, value_name = "TEXT")]
    pub(super) label: Option<String>,
    /// Run it so many times, and tell the spread
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,
    /// One JSON object per run instead of the table
    #[arg(long)]
    pub(super) json: bool,
    /// Where the report goes instead of stderr
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Reports of earlier runs (--json --output) side by side, on stdout
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["command", "repeat", "output", "label", "json"])]
    pub(super) compare: Vec<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required_unless_present = "compare", value_name = "CMD")]
    pub(super) command: Vec<OsString>,
}

/// Options of `stream`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first object comes at once; its rates are unknown (first_sample). Then one \
        comes per interval, and one more as soon as a link or a route changes. With --from, every \
        sample of the capture comes once.\n\n\
        The lines of --text hold, with tabs between: time, rail, state, received and sent bytes \
        per second (bits with --bits; - if not known), verdict.\n\n\
        Examples:\n  \
        railtop stream | jq -c '.rails[] | [.name, .rx.bytes_per_second]'\n  \
        railtop stream -n 2 --interval 10s | tail -n 1\n  \
        railtop stream --text --rail ib0,ib1 | awk -F'\\t' '$6 != \"ok\"'"
)]
pub(super) struct Stream {
    /// Stop after this many samples
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// One line per rail instead of JSON
    #[arg(long, conflicts_with = "json")]
    pub(super) text: bool,
    /// JSON: the default
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `capture`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rates need two samples; they are one --interval apart. As root the capture \
        holds what LNet says too.\n\n\
        Examples:\n  \
        railtop capture oss07.tar.zst\n  \
        railtop capture -n 10 --interval 500ms oss07/\n  \
        railtop --from oss07.tar.zst"
)]
pub(super) struct Capture {
    /// Number of samples
    #[arg(
        short = 'n', long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(super) count: u32,
    /// Directory to make, or archive if it ends in .tar.zst
    #[arg(value_name = "DIR|FILE.tar.zst")]
    pub(super) target: PathBuf,
}

/// Options of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    railtop explain                     all ids\n  \
    railtop explain PORT_DOWN\n  \
    railtop explain symbol_error        what a counter means")]
pub(super) struct Explain {
    /// Id of a finding, or name of a counter; without one, all are listed
    #[arg(value_name = "ID|COUNTER")]
    pub(super) id: Option<String>,
}

/// `--demo stream` means the command, not a scenario of that name: the value is optional, so
/// clap would take the next word for it.
pub(super) fn settle_demo(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut settled: Vec<OsString> = args.into_iter().collect();
    let pairs = settled.iter().zip(settled.iter().skip(1));
    let bare = pairs
        .take_while(|(arg, _)| *arg != "--")
        .position(|(arg, next)| arg == "--demo" && SUBCOMMANDS.iter().any(|s| next == s));
    if let Some(arg) = bare.and_then(|index| settled.get_mut(index)) {
        *arg = format!("--demo={DEMO}").into();
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Args {
        let words = line.split(' ').map(OsString::from);
        Args::try_parse_from(settle_demo(words)).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
        let commands: Vec<_> =
            Args::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
        assert!(commands.iter().all(|c| SUBCOMMANDS.contains(&c.as_str())));
        assert!(Args::command().get_subcommands().all(|c| c.get_after_help().is_some()));
    }

    #[test]
    fn global_options_before_and_after_the_command() {
        for line in [
            "railtop --interval 2 --rail ib0,ib1 stream",
            "railtop stream --rail ib0 --rail ib1 --interval 2s",
        ] {
            let args = parse(line);
            let config = crate::config::Config::default();
            let global = args.global.settled(&config);
            assert_eq!(global.interval, std::time::Duration::from_secs(2), "{line}");
            assert_eq!(global.settings().include, ["ib0", "ib1"], "{line}");
            assert!(matches!(args.command, Some(Command::Stream(_))), "{line}");
        }
    }

    #[test]
    fn a_bare_demo_is_the_balanced_one_wherever_it_stands() {
        for line in ["railtop --demo", "railtop --demo stream", "railtop stream --demo"] {
            assert_eq!(parse(line).global.demo.as_deref(), Some(DEMO), "{line}");
        }
        assert_eq!(parse("railtop --demo dead-rail stream").global.demo.unwrap(), "dead-rail");
        assert!(parse("railtop --demo stream").command.is_some());
        assert_eq!(parse("railtop").global.demo, None);
    }
}
