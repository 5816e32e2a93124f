//! A journal that is cut anywhere, in mid-line too, is a build that can go on.

use std::fs;

use reseal_engine::Ended;

use crate::bench::{Bench, IMAGE};
use crate::world::Things;

/// A good build, with the world as it was at each line of its journal.
fn recorded() -> (Vec<String>, Vec<Things>) {
    let bench = Bench::new();
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    let text = fs::read_to_string(bench.run().journal()).unwrap();
    let worlds = bench
        .watch
        .entries
        .lock()
        .unwrap()
        .iter()
        .map(|(_, things)| things.clone())
        .collect();
    (text.lines().map(|line| format!("{line}\n")).collect(), worlds)
}

/// A process finds this journal and this world.
fn goes_on(journal: &str, things: &Things) {
    let bench = Bench::new();
    bench.run().create().unwrap();
    fs::write(bench.run().journal(), journal).unwrap();
    bench.world.restore(things.clone());
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] }, "{journal}");
    assert_eq!(bench.world.left(), [IMAGE], "{journal}");
}

#[test]
fn a_build_goes_on_from_every_line_and_every_torn_line() {
    let (lines, worlds) = recorded();
    assert_eq!(lines.len(), worlds.len());
    // The last line closes the build: there is nothing to go on with.
    for cut in 1..lines.len() {
        let whole = lines[..cut].concat();
        let torn: String = lines[cut].chars().take(lines[cut].len() / 2).collect();
        // Nothing was done since the last line.
        goes_on(&whole, &worlds[cut - 1]);
        // Everything up to the next line was done, and its line was lost or torn.
        goes_on(&whole, &worlds[cut]);
        goes_on(&format!("{whole}{torn}"), &worlds[cut]);
    }
}
