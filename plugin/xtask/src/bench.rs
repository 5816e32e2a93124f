//! `bench`: measures, and compares with the numbers that we want to reach.
//!
//! A benchmark, not a test: it never fails because a number is bad. A section is a file below `bench/` (what the binary
//! does as a whole) or a *probe*: an example `bench_*.rs` of any crate, for what can only be measured from within. A
//! probe prints one row a line, with tabs between: `what`, value, unit, goal (`<= 6.5`, `>= 100`, or nothing).

mod binary;
mod probes;
mod row;

use crate::cargo::{Done, cargo, succeed};
use row::Row;

/// A group of measurements.
struct Section {
    name: String,
    rows: Done<Vec<Row>>,
}

/// Measures all sections, or those whose name contains one of `names`.
pub(crate) fn run(names: &[&str]) -> Done {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part));
    succeed(&mut cargo(["build", "--release", "--locked", "--package", "reseal"]))?;
    let mut sections = Vec::new();
    for (name, measure) in binary::SECTIONS {
        if wanted(name) {
            println!("measuring {name} …");
            let rows = measure();
            sections.push(Section {
                name: (*name).to_owned(),
                rows,
            });
        }
    }
    for probe in probes::all()? {
        if wanted(&probe.name) {
            println!("measuring {} …", probe.name);
            let rows = probe.measure();
            sections.push(Section { name: probe.name, rows });
        }
    }
    sections.iter().for_each(print);
    Ok(())
}

fn print(section: &Section) {
    println!("\n{}", section.name);
    match &section.rows {
        Ok(rows) => rows.iter().for_each(|row| println!("  {row}")),
        Err(why) => println!("  not measured: {why}"),
    }
}
