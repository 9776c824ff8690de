//! NetworkManager: keyfiles and nmcli.

use super::*;

/// Pipes a keyfile through `nmcli --offline connection modify …`.
fn nmcli(keyfile: &str, line: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs");
    child.stdin.take().unwrap().write_all(keyfile.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The lines about routes and rules, without their numbers: the order of routes is not kept.
fn routing_lines(keyfile: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut section = "";
    for line in keyfile.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, value)) = line.split_once('=') {
            let key: String = key.chars().filter(|c| !c.is_ascii_digit()).collect();
            if key.starts_with("rout") || key.starts_with("address") {
                let mut parts: Vec<&str> = value.split(',').collect();
                if key.ends_with("options") {
                    parts.sort_unstable();
                }
                lines.push(format!("{section} {key}={}", parts.join(",")));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn nmcli_takes_the_keyfile_and_the_command_makes_the_same() {
    needs!("nmcli_takes_the_keyfile_and_the_command_makes_the_same", "nmcli");
    let out = persist::render(Manager::NetworkManager, &plan(|_| None));
    let keyfile = out.files.iter().find(|f| f.path.ends_with("/railtop-ib0.nmconnection")).unwrap();
    assert_eq!(keyfile.mode, 0o600);
    let same = "nmcli --offline connection modify connection.autoconnect yes";
    let read = nmcli(&keyfile.content, same);
    assert_eq!(routing_lines(&read), routing_lines(&keyfile.content), "{read}");
    assert_eq!(routing_lines(&read).len(), 12, "{read}");
    for line in ["type=infiniband", "interface-name=ib0", "transport-mode=datagram"] {
        assert!(read.contains(line), "{read}");
    }

    let out = persist::render(
        Manager::NetworkManager,
        &plan(|_| Some(managed(Manager::NetworkManager, None, "uuid-x"))),
    );
    assert!(out.files.iter().all(|f| f.path.starts_with("/etc/sysctl.d")));
    let online = "nmcli connection modify uuid uuid-x";
    let modify = out.commands.iter().find(|c| c.starts_with(online)).unwrap();
    let modify = modify.replacen(online, "nmcli --offline connection modify", 1);
    let base = "[connection]\nid=ib0\ntype=infiniband\ninterface-name=ib0\n\
        [infiniband]\ntransport-mode=datagram\n[ipv4]\nmethod=manual\naddress1=172.16.34.1/16\n\
        [ipv6]\nmethod=manual\naddress1=fd00::1/64\n";
    let once = nmcli(base, &modify);
    assert_eq!(routing_lines(&once), routing_lines(&keyfile.content), "{once}");
    let twice = nmcli(&once, &modify);
    assert_eq!(twice, once, "the command may be run again");
}
