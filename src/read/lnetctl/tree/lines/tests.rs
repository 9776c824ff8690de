use super::super::super::fixtures;
use super::super::yaml;
use super::*;
use proptest::prelude::*;

fn fast(text: &str, key: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    each(text, key, &mut |tree| found.push(format!("{tree:?}")))?.then_some(found)
}

fn slow(text: &str, key: &str) -> Result<Option<Vec<String>>, crate::sample::Unknown> {
    let mut found = Vec::new();
    let seen = yaml::each(text, key, &mut |tree| found.push(format!("{tree:?}")))?;
    Ok(seen.then_some(found))
}

#[test]
fn every_fixture_is_in_the_subset_and_as_the_crate_reads_it() {
    for (key, text) in fixtures::every() {
        let found = fast(text, key);
        assert!(found.is_some(), "refused:\n{text}");
        assert_eq!(found, slow(text, key).unwrap(), "{text}");
    }
}

#[test]
fn what_is_not_in_the_subset_is_refused() {
    for text in [
        "net:\n\t- nid: 1\n",
        "net:\n  - a: b\n    c: [1, 2]\n",
        "net:\n  - a: b\n      c: d\n",
        "net:\n  - a: b\n   c: d\n",
        "net:\n  a: b: c\n",
        "net:\n  a: \"b\\n\"\n",
        "net:\n  a: 'b'\n",
        "net:\n  a: |\n    b\n",
        "net:\n  a: &x b\n",
        "net:\n  a: b # c\n",
        "net:\n  a: b\n    c\n",
        "net:\n  - a\n    b\n",
        "net:\n  - - a\n",
        "net:\n  -\n",
        "net:\n  a: b\n  - c\n",
        "# net\nnet:\n",
        "- net:\n",
        "net: é\n",
        "net: down\n",
        "net\n",
    ] {
        assert_eq!(fast(text, "net"), None, "{text:?}");
    }
    let deep: Vec<String> = (1..40).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert_eq!(fast(&format!("net:\n{}", deep.concat()), "net"), None);
}

/// Lines that are near to what lnetctl prints.
fn lines() -> impl Strategy<Value = String> {
    let line = "( {0,3}|      )(- {1,5}){0,2}(net|a b|0|7|00|true|NID-0|cpt\\[0\\]|x:y|-)(: |:|: {3}|)\
                (|1|-1|\\+1|1e3|true|NA|~|null|\\.5|a@b|fe80::1@tcp|\"[0,1]\"|! \"x y\"|! x|\"|\\*a|\
                &a|- b|b: c|c:|\\[|\\{\\}|# d|a #b|eth0:1|12:30:45|1_0|0x1f|%|a b)( {0,2})";
    prop::collection::vec(line, 0..14).prop_map(|lines| {
        let mut text = String::from("net:\n");
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    })
}

/// Well-formed trees, printed with any indentation.
fn printed() -> impl Strategy<Value = String> {
    #[derive(Clone, Debug)]
    enum Node {
        Null,
        Scalar(&'static str),
        List(Vec<Node>),
        Map(Vec<(&'static str, Node)>),
    }
    fn print(node: &Node, column: usize, step: usize, flush: bool, out: &mut String) {
        match node {
            Node::Null => out.push('\n'),
            Node::Scalar(value) => {
                out.push(' ');
                out.push_str(value);
                out.push('\n');
            }
            Node::List(items) => {
                out.push('\n');
                let column = if flush { column } else { column + step };
                for item in items {
                    out.push_str(&" ".repeat(column));
                    out.push('-');
                    out.push_str(&" ".repeat(step - 1));
                    let mut inner = String::new();
                    print(item, column + step, step, flush, &mut inner);
                    out.push_str(inner.trim_start_matches(['\n', ' ']));
                }
            }
            Node::Map(entries) => {
                out.push('\n');
                for (key, value) in entries {
                    out.push_str(&" ".repeat(column));
                    out.push_str(key);
                    out.push(':');
                    let below = if matches!(value, Node::Map(_)) { column + step } else { column };
                    print(value, below, step, flush, out);
                }
            }
        }
    }
    let scalar = prop::sample::select(vec![
        "1",
        "-1",
        "up",
        "10.0.0.1@tcp",
        "fe80::1@tcp",
        "True",
        "0x1",
        "\"[0,1]\"",
        "! \"a b\"",
        "eth0:1",
        "4294967295",
        "a b",
        "NA",
    ]);
    let key = prop::sample::select(vec!["nid", "net type", "0", "1", "a_b", "local NI(s)", "x"]);
    let leaf = prop_oneof![Just(Node::Null), scalar.prop_map(Node::Scalar)];
    let tree = leaf.prop_recursive(4, 40, 5, move |inner| {
        let map = prop::collection::vec((key.clone(), inner.clone()), 1..5).prop_map(Node::Map);
        let items = prop_oneof![
            map.clone(),
            prop::sample::select(vec!["1", "a@b"]).prop_map(Node::Scalar),
        ];
        prop_oneof![prop::collection::vec(items, 1..4).prop_map(Node::List), map]
    });
    (tree, 2..7usize, any::<bool>()).prop_map(|(tree, step, flush)| {
        let mut text = String::from("net:");
        let column = if matches!(tree, Node::Map(_)) { step } else { 0 };
        print(&tree, column, step, flush, &mut text);
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn where_it_reads_it_reads_as_the_crate(text in lines()) {
        if let Some(found) = fast(&text, "net") {
            prop_assert_eq!(Ok(Some(found)), slow(&text, "net"), "{}", text);
        }
    }

    #[test]
    fn what_is_well_formed_is_read(text in printed()) {
        let read = slow(&text, "net");
        // A scalar in the place of the list is left to the crate.
        if !text.starts_with("net: ") {
            prop_assert_eq!(Ok(fast(&text, "net")), read, "{}", text);
        }
    }

    #[test]
    fn shuffled_and_cut_fixtures_are_read_as_the_crate_reads_them(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let all = fixtures::every();
        let (key, text) = all[which.index(all.len())];
        let mut lines: Vec<&str> = text.lines().collect();
        let (from, to) = (from.index(lines.len()), to.index(lines.len()));
        lines.swap(from, to);
        lines.remove(cut.index(lines.len()));
        let text = format!("{}\n", lines.join("\n"));
        if let Some(found) = fast(&text, key) {
            prop_assert_eq!(Ok(Some(found)), slow(&text, key), "{}", text);
        }
    }
}
