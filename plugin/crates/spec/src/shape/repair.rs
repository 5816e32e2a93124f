//! Reading again without the wrong piece, until the rest fits.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::mistake::{Complaint, Mistake};
use super::node::Node;
use crate::route;

/// More mistakes than this in one value are not told one by one.
const MOST: usize = 100;

/// The typed value, as far as it can be had, and all complaints. Routes in complaints begin with `at`.
pub(crate) fn read<T: DeserializeOwned>(value: &Value, at: &str) -> (Option<T>, Vec<Complaint>) {
    let mut patient = Patient {
        value: value.clone(),
        taken: BTreeMap::new(),
        excused: BTreeSet::new(),
    };
    let mut complaints = Vec::new();
    for _ in 0..MOST {
        let error = match serde_path_to_error::deserialize::<_, T>(Node(&patient.value)) {
            Ok(typed) => return (Some(typed), complaints),
            Err(error) => error,
        };
        let mut steps = steps(&patient.value, error.path());
        let mistake = of_key(&patient.value, &steps, error.into_inner());
        if let Mistake::UnknownField { field, .. } = &mistake {
            steps.pop_if(|last| matches!(last, Step::Key(key) if key == field));
        }
        let route = patient.original(&steps);
        if !patient.is_excused(&route, &mistake) {
            complaints.push(Complaint {
                route: format!("{at}{route}"),
                mistake: mistake.clone(),
            });
        }
        if !patient.operate(&steps, &route, &mistake) {
            break;
        }
    }
    (None, complaints)
}

/// A word that is not possible and is a key of the mapping there is an unknown field of it.
fn of_key(value: &Value, steps: &[Step], mistake: Mistake) -> Mistake {
    let here = steps.iter().try_fold(value, |here, step| match step {
        Step::Key(key) => here.get(key.as_str()),
        Step::Index(index) => here.get(*index),
    });
    match mistake {
        Mistake::UnknownWord { word, allowed } if here.is_some_and(|here| here.get(&word).is_some()) => {
            Mistake::UnknownField { field: word, allowed }
        }
        other => other,
    }
}

/// One step of a path in the value as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The path of an error as steps that exist in the value.
fn steps(value: &Value, path: &serde_path_to_error::Path) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut here = value;
    for segment in path {
        let (step, next) = match segment {
            Segment::Seq { index } => (Step::Index(*index), here.get(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => (Step::Key(key.clone()), here.get(key.as_str())),
            Segment::Unknown => continue,
        };
        let Some(next) = next else { continue };
        steps.push(step);
        here = next;
    }
    steps
}

/// A value under repair.
struct Patient {
    value: Value,
    /// By list (its original route): the original indexes of the items that were taken out.
    taken: BTreeMap<String, BTreeSet<usize>>,
    /// Fields that were taken out or are plainly meant by another name: that they are missing is no news.
    excused: BTreeSet<String>,
}

impl Patient {
    /// The route before anything was taken out.
    fn original(&self, steps: &[Step]) -> String {
        let mut at = String::new();
        for step in steps {
            at = match step {
                Step::Key(key) => route::member(&at, key),
                Step::Index(index) => {
                    let mut original = *index;
                    for taken in self.taken.get(&at).into_iter().flatten() {
                        if *taken <= original {
                            original += 1;
                        }
                    }
                    route::item(&at, original)
                }
            };
        }
        at
    }

    fn is_excused(&self, route: &str, mistake: &Mistake) -> bool {
        matches!(mistake, Mistake::MissingField(field) if self.excused.contains(&route::member(route, field)))
    }

    /// Takes the wrong piece out; false when nothing is left to try.
    fn operate(&mut self, steps: &[Step], route: &str, mistake: &Mistake) -> bool {
        if let Mistake::UnknownField { field, allowed } = mistake {
            if let Some(meant) = reseal_diag::nearest(field, allowed.iter().copied()) {
                self.excused.insert(route::member(route, meant));
            }
            let mapping = find(&mut self.value, steps).and_then(Value::as_object_mut);
            if let Some(map) = mapping
                && map.shift_remove(field).is_some()
            {
                return true;
            }
        }
        let Some((last, around)) = steps.split_last() else {
            return false;
        };
        self.excused.insert(route.to_owned());
        let list_route = self.original(around);
        match (find(&mut self.value, around), last) {
            (Some(Value::Object(map)), Step::Key(key)) => map.shift_remove(key).is_some(),
            (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => {
                items.remove(*index);
                let original = route::last(route).parse().unwrap_or(*index);
                self.taken.entry(list_route).or_default().insert(original);
                true
            }
            _ => false,
        }
    }
}

fn find<'a>(value: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(value, |here, step| match step {
        Step::Key(key) => here.get_mut(key.as_str()),
        Step::Index(index) => here.get_mut(*index),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
        count: Option<u32>,
        #[serde(default)]
        inner: Vec<Inner>,
        #[serde(default)]
        map: BTreeMap<String, bool>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        size: u32,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Big,
        Small,
    }

    fn check(value: &Value, expect: &[&str]) {
        let (_, complaints) = read::<Thing>(value, "/t");
        let found: Vec<String> = complaints
            .iter()
            .map(|c| format!("{}: {}", c.route, c.mistake))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn all_mistakes_are_found_at_their_original_places() {
        check(&json!({"name": "x", "inner": [{"size": 1}]}), &[]);
        check(
            &json!({
                "nmae": "x", "count": "many", "zzz": 1,
                "inner": [{"size": "a"}, {"size": 1, "kind": "bg"}, {"sizes": 3}, 7, {"size": 5, "x": 1}],
                "map": {"a": true, "b": 1}
            }),
            &[
                "/t: unknown field `nmae`",
                "/t/count: expected a whole number, found the text `many`",
                "/t: unknown field `zzz`",
                "/t/inner/0/size: expected a whole number, found the text `a`",
                "/t/inner/1/kind: `bg` is not possible here",
                "/t/inner/2: unknown field `sizes`",
                "/t/inner/3: expected a mapping, found the number 7",
                "/t/inner/4: unknown field `x`",
                "/t/map/b: expected `true` or `false`, found the number 1",
            ],
        );
        check(&json!([1]), &["/t: expected a mapping, found a list"]);
        check(&json!({}), &["/t: `name` is missing"]);
        check(&json!(null), &["/t: expected a mapping, found nothing"]);
    }
}
