//! Plans that once showed something, kept under `tests/seeds/`: what they showed must not come back, and planted bugs that
//! they show must go on being found.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::plan::Plan;
use crate::plan_file::PlanFile;
use crate::swarm::{Finding, Found, look};

/// What stands in such a file beside the plan.
#[derive(Debug, Deserialize)]
struct Kept {
    /// What it once showed.
    comment: String,
    expected: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase", deny_unknown_fields)]
enum Expected {
    /// Nothing is wrong.
    Valid,
    /// This is found with the plan's seed or one of those after it: a change of the simulation draws other runs, and a bug
    /// that one seed shows by luck says little. Which of several kinds is seen first is luck as well.
    Invalid { check: String, kinds: Vec<String>, within_seeds: u64 },
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

fn read(path: &Path) -> (Kept, Plan) {
    let name = path.display();
    let kept =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
    (kept, PlanFile::read(path).unwrap_or_else(|error| panic!("{error:#}")).plan)
}

/// What is wrong with what the plan shows now.
fn problem(expected: &Expected, plan: &Plan) -> Option<String> {
    match expected {
        Expected::Valid => match look(plan).unwrap().found {
            Found::Nothing => None,
            found @ (Found::Violation(_) | Found::Unknown(_)) => Some(format!("it should be valid: {found:?}")),
        },
        Expected::Invalid { check, kinds, within_seeds } => {
            let is_it = |found: &Found| match found {
                Found::Violation(Finding { check: by, kind, .. }) => by == check && kinds.contains(kind),
                Found::Nothing | Found::Unknown(_) => false,
            };
            let shows = |number| look(&Plan { seed: plan.seed.wrapping_add(number), ..plan.clone() }).unwrap().found;
            let mut seen = Vec::new();
            for found in (0..*within_seeds).map(shows) {
                if is_it(&found) {
                    return None;
                }
                seen.push(found);
            }
            Some(format!(
                "it should show {check}: {} within {within_seeds} seeds, and shows {seen:?}",
                kinds.join(" or ")
            ))
        }
    }
}

#[test]
fn the_plans_of_the_past_show_what_they_should() {
    let (mut valid, mut invalid, mut problems) = (0, 0, Vec::new());
    for path in files() {
        let (kept, plan) = read(&path);
        match kept.expected {
            Expected::Valid => valid += 1,
            Expected::Invalid { .. } => invalid += 1,
        }
        assert!(kept.comment.len() > 20, "{}: say what it once showed", path.display());
        problems.extend(problem(&kept.expected, &plan).map(|problem| {
            format!("{}\n  {}\n  {problem}", path.file_name().unwrap_or_default().display(), kept.comment)
        }));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(valid >= 5 && invalid >= 5, "{valid} valid, {invalid} invalid");
}

#[test]
fn what_a_plan_should_show_and_does_not_is_told() {
    let (bug, right): (Vec<_>, Vec<_>) = files().iter().map(|path| read(path).1).partition(|plan| plan.bug.is_some());
    let invalid = Expected::Invalid { check: "liveness".into(), kinds: vec!["no-leader".into()], within_seeds: 2 };
    assert!(problem(&Expected::Valid, &bug[0]).unwrap().contains("it should be valid: Violation"));
    assert!(problem(&invalid, &right[0]).unwrap().contains("it should show liveness: no-leader within 2 seeds"));
}
