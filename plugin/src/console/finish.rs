//! The end of a build: the last lines, the manifests, the job's summary.

use std::sync::PoisonError;

use reseal_journal::{Journal, RunDir};

use super::ending::{self, Ending};
use super::face::Face;
use super::{Closing, Console, Weight, closing, json, machine, manifest, now, summary, timeline};

impl Console {
    /// How a build ended: the last lines, the manifest, the job's summary.
    pub fn ended(&self, closing: &Closing<'_>) {
        let ending = Ending::of(closing, &closing.watcher.tally(), &self.inner.typed);
        match self.inner.face {
            Face::Json => self.put_out(&json::line("end", &ending)),
            Face::Machine => {
                for line in machine::ended(self, &ending) {
                    self.put_out(&line);
                }
                for line in closing::lines(self, &ending).iter().skip(1) {
                    self.put_out(&machine::ui(self, "say", line));
                }
            }
            Face::Packer => {
                let failed = ending.exit != 0;
                let lines = closing::lines(self, &ending);
                let weight = if failed { Weight::Error } else { Weight::Step };
                self.show(weight, lines.join("\n").trim_start());
            }
            Face::Live | Face::Plain(_) => {
                // One piece: the last lines of parallel builds must not mix.
                self.put(&closing::lines(self, &ending).join("\n"));
                ending.diagnostic().iter().for_each(|one| self.annotate(one));
            }
        }
        self.keep(closing, &ending);
    }

    /// Writes what stays: manifests and the job's summary.
    fn keep(&self, closing: &Closing<'_>, ending: &Ending) {
        let _one = self.inner.files.lock().unwrap_or_else(PoisonError::into_inner);
        if ending.outcome == ending::Outcome::Succeeded {
            let own = ending.folder.join(manifest::NAME);
            for path in [Some(own.as_path()), closing.manifest].into_iter().flatten() {
                if let Err(error) = manifest::add(path, ending, &closing.plan.content, now()) {
                    self.warn(&format!("cannot write the manifest `{}`: {error}", path.display()));
                }
            }
        }
        if let Some(path) = &self.inner.summary {
            let run = RunDir::new(closing.runs, closing.build.as_str());
            let entries = Journal::read(&run).map(|(entries, _)| entries).unwrap_or_default();
            let text = summary::section(ending, timeline::Timeline::of(&entries).as_ref());
            if let Err(error) = summary::append(path, &self.scrubber.text(&text)) {
                self.warn(&format!("cannot write the job's summary: {error}"));
            }
        }
    }
}
