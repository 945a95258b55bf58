use super::*;

const WHOLE: &str = r#"
name = "valkey"
about = "one Valkey"
protocol = "redis"
workloads = ["register"]
nodes = 1
port = 6379

[install]
debian = ["valkey"]
binaries = ["valkey-server"]

[settings]
appendfsync = { usual = "always", values = ["always", "no"], about = "when the log is synced" }

[[process]]
command = ["valkey-server", "--appendfsync", "{{ settings.appendfsync }}"]
"#;

fn problem_without(line: &str, instead: &str) -> String {
    assert!(WHOLE.contains(line));
    Description::parse(&WHOLE.replace(line, instead), "valkey.toml").unwrap_err().to_string()
}

#[test]
fn the_built_in_ones_are_whole_and_have_names_of_their_own() {
    let names: Vec<&str> = Description::built_in().iter().map(|description| description.name.as_str()).collect();
    assert!(names.contains(&"redis"), "{names:?}");
    let mut unique = names.clone();
    unique.dedup();
    assert_eq!(names, unique);
}

#[test]
fn a_plan_holds_all_of_it() {
    for description in Description::built_in() {
        let json = serde_json::to_string(description).unwrap();
        assert_eq!(&serde_json::from_str::<Description>(&json).unwrap(), description);
    }
}

#[test]
fn what_is_wrong_is_told_with_the_file_and_the_line() {
    let unknown_field = problem_without("port = 6379", "port = 6379\nprot = 1");
    assert!(unknown_field.starts_with("valkey.toml does not describe a system"), "{unknown_field}");
    assert!(unknown_field.contains("prot") && unknown_field.contains("line 8"), "{unknown_field}");
    let workload = problem_without("\"register\"", "\"registers\"");
    assert!(workload.contains("registers") && workload.contains("append"), "{workload}");
    assert!(problem_without("port = 6379", "").contains("missing field `port`"));
    assert!(problem_without("name = \"valkey\"", "name = \"../x\"").contains("lower-case"));
    assert!(problem_without("[\"register\"]", "[]").contains("workloads is empty"));
    assert!(problem_without("nodes = 1", "nodes = 0").contains("nodes is 0"));
    assert!(problem_without("debian = [\"valkey\"]", "").contains("either debian packages or one pypi package"));
    assert!(problem_without("debian = [\"valkey\"]", "debian = [\"-o x\"]").contains("no name of a package"));
    assert!(problem_without("usual = \"always\"", "usual = \"never\"").contains("not one of always, no"));
}

#[test]
fn settings_are_as_chosen_or_as_usual() {
    let description = Description::parse(WHOLE, "valkey.toml").unwrap();
    let choose = |name: &str, value: &str| description.settings(&BTreeMap::from([(name.into(), value.into())]));
    assert_eq!(description.settings(&BTreeMap::new()).unwrap()["appendfsync"], "always");
    assert_eq!(choose("appendfsync", "no").unwrap()["appendfsync"], "no");
    let value = choose("appendfsync", "maybe").unwrap_err().to_string();
    assert_eq!(value, "appendfsync can't be \"maybe\"; it can be always, no");
    let name = choose("fsync", "no").unwrap_err().to_string();
    assert_eq!(name, "valkey has no setting \"fsync\"; it has appendfsync");
}

#[test]
fn a_system_is_found_by_name_or_by_file() {
    assert_eq!(Description::find("redis").unwrap().name, "redis");
    let unknown = Description::find("radish").unwrap_err().to_string();
    assert!(unknown.contains("radish") && unknown.contains("redis") && unknown.contains("TOML"), "{unknown}");
    let missing = Description::find("./nowhere.toml").unwrap_err().to_string();
    assert!(missing.contains("./nowhere.toml") && missing.contains("No such file"), "{missing}");
}
