//! The last lines of a build, for people.

use reseal_diag::Look;
use unicode_width::UnicodeWidthStr as _;

use super::Console;
use super::ending::{Ending, Outcome};
use super::text::{bytes, duration, fold, plural, tame};
use crate::exit::Exit;

/// How many of the guest's last lines are shown.
const TAIL: usize = 20;

/// The lines.
pub(super) fn lines(console: &Console, ending: &Ending) -> Vec<String> {
    let mut lines = vec![String::new()];
    match ending.outcome {
        Outcome::Succeeded => succeeded(console, ending, &mut lines),
        Outcome::Failed | Outcome::Held => failed(console, ending, &mut lines),
        Outcome::CleanedUp => lines.push(format!("{}: cleaned up", ending.name)),
        Outcome::Died => lines.push(format!("{}: the build was killed", ending.name)),
    }
    done_about_it(console, ending, &mut lines);
    next(console, ending, &mut lines);
    lines.push(field("run folder", &ending.folder.display().to_string()));
    // Packer has an exit code of its own.
    if ending.exit != 0 && !console.is_packers() {
        let code = format!("{}: {}", ending.exit, meaning(ending.exit));
        lines.push(field("exit code", &code));
    }
    lines
}

fn field(name: &str, value: &str) -> String {
    format!("  {name:<11} {value}")
}

/// A field that a narrow terminal needs several lines for.
fn long_field(console: &Console, name: &str, value: &str) -> String {
    let indent = field("", "").width();
    match console.width() {
        Some(width) => field(name, &fold(value, width, indent)),
        None => field(name, value),
    }
}

fn succeeded(console: &Console, ending: &Ending, lines: &mut Vec<String>) {
    let headline = match &ending.image {
        Some(image) => format!("{}: image `{}` is ready", ending.name, image.name),
        None => format!("{}: the build is through", ending.name),
    };
    lines.push(console.paint().good(&headline));
    if let Some(image) = &ending.image {
        lines.push(field("image id", &image.id));
    }
    let mut took = duration(ending.duration);
    if ending.restarts > 0 {
        took = format!("{took}, with {} of Windows", plural(ending.restarts, "restart"));
    }
    lines.push(field("took", &took));
    if ending.bytes > 0 {
        lines.push(field("transferred", &bytes(ending.bytes)));
    }
}

fn failed(console: &Console, ending: &Ending, lines: &mut Vec<String>) {
    let (Some(diagnostic), Some(failed)) = (ending.diagnostic(), &ending.failure) else {
        return;
    };
    let look = if console.paint().is_on() {
        Look::Coloured
    } else {
        Look::Plain
    };
    let text = reseal_diag::render(&diagnostic, look);
    lines.extend(text.trim_end().lines().map(str::to_owned));
    if let (None, Some(origin)) = (&diagnostic.primary, &failed.origin) {
        lines.push(format!(" --> {origin}"));
    }
    for cause in &failed.record.causes {
        lines.push(format!("  because: {}", tame(cause)));
    }
    said(&failed.record.said, lines);
    lines.push(String::new());
    lines.push(console.paint().bad(&format!("{}: {}", ending.name, verdict(ending))));
    lines.push(field("after", &duration(ending.duration)));
}

fn said(said: &[String], lines: &mut Vec<String>) {
    if said.is_empty() {
        return;
    }
    let before = said.len().saturating_sub(TAIL);
    lines.push(if before > 0 {
        format!("what was said last, after {}:", plural(before, "other line"))
    } else {
        "what was said:".to_owned()
    });
    lines.extend(said.iter().skip(before).map(|line| format!("  | {}", tame(line))));
}

fn verdict(ending: &Ending) -> String {
    let what = if ending.exit == Exit::Interrupted.code() {
        "interrupted"
    } else {
        "failed"
    };
    let left = match ending.outcome {
        Outcome::Held => "everything is kept",
        _ if ending.stuck.is_empty() && ending.kept.is_empty() => "nothing is left behind",
        _ => "something is left behind",
    };
    format!("{what}, and {left}")
}

fn done_about_it(console: &Console, ending: &Ending, lines: &mut Vec<String>) {
    if !ending.undone.is_empty() && ending.outcome != Outcome::Succeeded {
        lines.push(long_field(console, "undone", &ending.undone.join(", ")));
    }
    if !ending.kept.is_empty() {
        lines.push(long_field(console, "kept", &ending.kept.join(", ")));
    }
    for stuck in &ending.stuck {
        let what = format!("{}: {}", stuck.title, tame(&stuck.message));
        lines.push(long_field(console, "left behind", &what));
    }
}

fn next(console: &Console, ending: &Ending, lines: &mut Vec<String>) {
    let paint = console.paint();
    for (index, command) in ending.next.iter().enumerate() {
        let name = if index == 0 { "next" } else { "or" };
        let why = if command.starts_with("reseal resume") {
            "goes on from the step that failed"
        } else if command.starts_with("reseal cleanup") {
            "removes what is left"
        } else if command.starts_with("reseal build") {
            "once the cause is cured; `-on-error=abort` keeps the machine to look at"
        } else {
            "once the cause is cured"
        };
        lines.push(field(name, &paint.strong(command)));
        lines.push(field("", &paint.dim(why)));
    }
}

/// What an exit code means, as the documentation's table says it.
fn meaning(exit: u8) -> &'static str {
    const TABLE: [(Exit, &str); 12] = [
        (Exit::Ok, "all is well"),
        (
            Exit::Internal,
            "a fault of this program, or a step that did not end in time",
        ),
        (Exit::Input, "the spec or the command line is wrong"),
        (Exit::Cloud, "the cloud refused, or is not well"),
        (Exit::Unreachable, "the guest cannot be reached"),
        (Exit::Install, "a step of the software failed"),
        (Exit::Sysprep, "answer file, preflight or sysprep failed"),
        (Exit::Capture, "the image could not be made"),
        (Exit::Verify, "the image does not hold what it should"),
        (Exit::Changes, "there is something to do"),
        (Exit::Leftovers, "the image is there, but something temporary is left"),
        (Exit::Interrupted, "interrupted"),
    ];
    let found = TABLE.iter().find(|(known, _)| known.code() == exit);
    found.map_or("", |(_, meaning)| meaning)
}
