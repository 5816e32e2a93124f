//! The steps inside the guest, from the first file to sysprep.

use std::collections::BTreeMap;

use reseal_engine::Leaves::{Contained, Nothing};
use reseal_engine::{FailureClass, Policy};
use reseal_guest::Step;
use reseal_guest::promises::Promise;
use reseal_guest::system::{Category, Fixes};
use reseal_spec::model::{Cleanup, CloudbaseMode, Fix, GeneralizeMode, OnFailure, WayIn};
use reseal_spec::{Spec, SpecStep};
use reseal_unattend::options::Base;

use super::builder::{Builder, origin};
use super::{Choices, Part, ids};
use crate::actions::guest::{
    AnswerFileParams, BaseFile, CloudbaseParams, FileItem, FileParams, HygieneParams, MeetParams, PreflightParams,
    ProvisionParams, ReleaseParams, ResidueParams, SettleParams, StepParams, Suspect, SysprepParams,
};
use crate::facts::{FileFact, LocalFacts};

/// The guest's whole preparation.
pub(super) fn prepare(builder: &mut Builder, spec: &Spec, local: &LocalFacts, choices: &Choices) {
    let suspects = install(builder, spec, local);
    if choices.provisioners {
        provision(builder);
    }
    settle(builder);
    hygiene(builder, spec);
    answer_file(builder, spec);
    cloudbase(builder, spec);
    residue(builder, spec, false);
    preflight(builder, spec, suspects);
    generalize(builder, spec, false);
}

/// The spec's work in a machine that somebody else has made and connected.
pub(super) fn visit(builder: &mut Builder, spec: &Spec, local: &LocalFacts, part: Part) {
    let title = "look who the machine is";
    builder.add(ids::CONNECT, title, "guest.meet", Nothing, &MeetParams::default());
    match part {
        Part::Software => {
            install(builder, spec, local);
            settle(builder);
        }
        Part::Generalize => {
            settle(builder);
            hygiene(builder, spec);
            answer_file(builder, spec);
            residue(builder, spec, true);
            preflight(builder, spec, vec![]);
            generalize(builder, spec, true);
        }
    }
}

fn settle(builder: &mut Builder) {
    let settle = SettleParams { connect: connect() };
    let title = "restart until Windows is settled";
    builder.add(ids::SETTLE, title, "guest.settle", Contained, &settle);
}

/// The spec's files and steps, and after which of these the app packages are looked at.
fn install(builder: &mut Builder, spec: &Spec, local: &LocalFacts) -> Vec<Suspect> {
    files(builder, spec, local);
    let mut suspects: Vec<Suspect> = Vec::new();
    for (number, step) in spec.software.iter().enumerate() {
        let class = FailureClass::Install;
        let added = software(builder, "guest", ids::CONNECT, number + 1, step, local, class);
        if !may_bring_apps(&step.step) {
            continue;
        }
        let earlier = suspects.iter().rev().map(|suspect| suspect.step.clone());
        let since: Vec<String> = earlier.chain([connect()]).collect();
        added.params["apps_since"] = serde_json::json!(since);
        suspects.push(Suspect {
            step: added.id.clone(),
            title: added.title.clone(),
            line: added.origin.as_ref().map(|origin| origin.line),
        });
    }
    suspects
}

/// Whether a step may leave app packages behind: everything that runs a program of somebody else's.
fn may_bring_apps(step: &Step) -> bool {
    [
        "install_exe",
        "install_msi",
        "msix",
        "powershell",
        "cmd",
        "chocolatey",
        "capability",
        "windows_update",
        "msu",
        "cab",
    ]
    .contains(&step.name())
}

/// Others find the software installed, and what they leave is cleaned up and checked like everything else.
fn provision(builder: &mut Builder) {
    let params = ProvisionParams {
        connect: connect(),
        ready: ids::READY.to_owned(),
    };
    let title = "run the template's provisioners";
    builder.add(ids::PROVISION, title, "guest.provision", Contained, &params);
}

fn connect() -> String {
    ids::CONNECT.to_owned()
}

fn hygiene(builder: &mut Builder, spec: &Spec) {
    let categories = categories(spec);
    if categories.is_empty() {
        return;
    }
    let connect = connect();
    let hygiene = HygieneParams { connect, categories };
    let title = "clean up in the guest";
    builder.add(ids::HYGIENE, title, "guest.hygiene", Contained, &hygiene);
}

/// Nothing secret is left.
fn residue(builder: &mut Builder, spec: &Spec, visiting: bool) {
    let variables: Vec<String> = spec.secrets.keys().cloned().collect();
    if visiting && variables.is_empty() {
        return;
    }
    let connect = connect();
    let residue = ResidueParams {
        connect,
        variables,
        remove_account: !visiting && removes_account(spec),
        visiting,
    };
    let title = "search the guest for secrets";
    builder.add(ids::RESIDUE, title, "guest.residue", Contained, &residue);
}

/// Nothing would make sysprep fail.
fn preflight(builder: &mut Builder, spec: &Spec, suspects: Vec<Suspect>) {
    let fix = spec.generalize.fix.iter().map(|fix| fixes(*fix)).collect();
    let connect = connect();
    let preflight = PreflightParams {
        connect,
        fix,
        suspects,
        answer_file: ids::ANSWER_FILE.to_owned(),
        accept: spec.generalize.accept.clone(),
    };
    let title = "check that sysprep can succeed";
    builder.add(ids::PREFLIGHT, title, "guest.preflight", Contained, &preflight);
}

/// Sysprep and its end. A machine of somebody else's stays up: who owns it turns it off.
fn generalize(builder: &mut Builder, spec: &Spec, stays: bool) {
    let sysprep = SysprepParams {
        connect: connect(),
        ready: (!stays).then(|| ids::READY.into()),
        remove_account: !stays && removes_account(spec),
        limit_seconds: spec.generalize.timeout.duration().as_secs(),
        mode_vm: spec.generalize.mode == GeneralizeMode::Vm,
    };
    let title = "generalize with sysprep";
    builder.add(ids::SYSPREP, title, "guest.sysprep", Contained, &sysprep);
    let release = ReleaseParams {
        connect: connect(),
        stays,
    };
    let title = if stays {
        "wait until sysprep's task has tidied up"
    } else {
        "let the guest shut down"
    };
    builder.add(ids::RELEASE, title, "guest.release", Contained, &release);
}

/// Whether the build made an account for itself, which goes after sysprep.
fn removes_account(spec: &Spec) -> bool {
    spec.connect.winrm.way_in != WayIn::ServerPassword
}

fn files(builder: &mut Builder, spec: &Spec, local: &LocalFacts) {
    let items: Vec<FileItem> = spec
        .files
        .iter()
        .flat_map(|copy| items(&copy.from, &copy.to, local))
        .collect();
    if !items.is_empty() {
        let title = if items.len() == 1 {
            "push 1 file".to_owned()
        } else {
            format!("push {} files", items.len())
        };
        let params = FileParams {
            connect: ids::CONNECT.into(),
            items,
        };
        builder.add(ids::FILES, title, "guest.files", Contained, &params);
    }
}

/// A file goes into the target folder under its own name; a folder's content goes there with its inner paths.
fn items(from: &str, to: &str, local: &LocalFacts) -> Vec<FileItem> {
    let join = |path: &str| format!("{}\\{}", to.trim_end_matches('\\'), path.replace('/', "\\"));
    match local.get(from) {
        Some(FileFact::File { sha256, .. }) => {
            let name = from.rsplit(['/', '\\']).next().unwrap_or(from);
            vec![FileItem {
                from: from.to_owned(),
                to: join(name),
                sha256: sha256.clone(),
            }]
        }
        Some(FileFact::Folder(inner)) => inner
            .iter()
            .map(|(path, (_, sha256))| FileItem {
                from: format!("{}/{path}", from.trim_end_matches('/')),
                to: join(path),
                sha256: sha256.clone(),
            })
            .collect(),
        None => vec![],
    }
}

/// One step of the user's, in the build machine or in the verifying one.
pub(super) fn software<'a>(
    builder: &'a mut Builder,
    prefix: &str,
    connect: &str,
    number: usize,
    step: &SpecStep,
    local: &LocalFacts,
    class: FailureClass,
) -> &'a mut reseal_engine::Step {
    let params = StepParams {
        connect: connect.to_owned(),
        number,
        step: step.step.clone(),
        only_if: step.policy.only_if.clone(),
        files: hashes(&step.step, local),
        class,
        apps_since: None,
    };
    let id = format!("{prefix}/{}", step.id_slug);
    let added = builder.add(id, title(step), "guest.step", Contained, &params);
    added.origin = Some(origin(&step.origin));
    added.policy = Policy {
        retries: step.policy.retries,
        timeout_seconds: step.policy.timeout.map(|limit| limit.duration().as_secs()),
        continue_on_failure: step.policy.on_failure == OnFailure::Continue,
    };
    added
}

fn title(step: &SpecStep) -> String {
    let summary = step.step.summary();
    if step.label == step.step.name() || step.label == summary {
        summary
    } else {
        step.label.clone()
    }
}

fn hashes(step: &Step, local: &LocalFacts) -> BTreeMap<String, String> {
    let paths = step.payloads().into_iter().filter_map(|payload| payload.source.file);
    paths
        .filter_map(|path| match local.get(&path) {
            Some(FileFact::File { sha256, .. }) => Some((path, sha256.clone())),
            _ => None,
        })
        .collect()
}

fn answer_file(builder: &mut Builder, spec: &Spec) {
    let base = match &spec.unattend.base {
        Base::Guest => BaseFile::Guest,
        Base::None => BaseFile::None,
        Base::File(path) => BaseFile::Text(
            spec.scripts
                .get(path)
                .map(|script| script.text.clone())
                .unwrap_or_default(),
        ),
    };
    let params = AnswerFileParams {
        connect: ids::CONNECT.into(),
        options: spec.unattend.clone(),
        base,
    };
    builder.add(
        ids::ANSWER_FILE,
        "compile and push the answer file",
        "guest.answer_file",
        Contained,
        &params,
    );
}

/// What keeps the provider's promises on a clone: read, checked, and changed where the spec says so.
fn cloudbase(builder: &mut Builder, spec: &Spec) {
    let init = &spec.cloudbase_init;
    let params = CloudbaseParams {
        connect: connect(),
        answer_file: ids::ANSWER_FILE.into(),
        service: init.service.clone(),
        change: init.mode == CloudbaseMode::SetupComplete,
        set: init.set.clone(),
    };
    let names: Vec<&str> = Promise::ALL.iter().map(|promise| promise.title()).collect();
    let verb = if params.change { "keep" } else { "check" };
    let title = format!("{verb} for the first boot: {}", names.join(", "));
    builder.add(ids::CLOUDBASE, title, "guest.cloudbase", Contained, &params);
}

fn fixes(fix: Fix) -> Fixes {
    match fix {
        Fix::Appx => Fixes::Appx,
        Fix::Bitlocker => Fixes::Bitlocker,
        Fix::Services => Fixes::Services,
        Fix::Store => Fixes::Store,
        Fix::AnswerFiles => Fixes::AnswerFiles,
        Fix::ReservedStorage => Fixes::ReservedStorage,
        Fix::Providers => Fixes::Providers,
    }
}

fn categories(spec: &Spec) -> Vec<Category> {
    let mut categories: Vec<Category> = spec.generalize.cleanup.iter().copied().flat_map(meant).collect();
    categories.sort();
    categories.dedup();
    categories
}

/// What a word under `generalize: cleanup:` stands for; the other way round it is [`Category::in_spec`].
fn meant(cleanup: Cleanup) -> Vec<Category> {
    match cleanup {
        Cleanup::Temp => vec![Category::Temp],
        Cleanup::CrashDumps => vec![Category::CrashDumps],
        Cleanup::RecycleBin => vec![Category::RecycleBin],
        Cleanup::Prefetch => vec![Category::Prefetch],
        Cleanup::EventLogs => vec![Category::EventLogs],
        Cleanup::ComponentStore => vec![Category::ComponentStore],
        Cleanup::UpdateCache => vec![Category::UpdateCache],
        Cleanup::DeliveryOptimization => vec![Category::DeliveryOptimization],
        Cleanup::History => vec![Category::PowershellHistory, Category::RunHistory],
        Cleanup::AnswerFiles => vec![Category::AnswerFiles],
        Cleanup::Winlogon => vec![Category::Winlogon],
        Cleanup::Logs => vec![Category::Logs],
        Cleanup::WsusId => vec![Category::WsusId],
        Cleanup::SshHostKeys => vec![Category::SshHostKeys],
        Cleanup::WindowsOld => vec![Category::WindowsOld],
        Cleanup::ShadowCopies => vec![Category::ShadowCopies],
        Cleanup::Hibernation => vec![Category::Hibernation],
        Cleanup::Trim => vec![Category::Trim],
        Cleanup::ZeroFree => vec![Category::ZeroFree],
    }
}

/// Restarts to be expected at the most: one for each update round and each explicit step, and one for all the rest.
pub(super) fn restarts(spec: &Spec) -> u32 {
    let mut joined = 0;
    let mut restarts = 0;
    for step in &spec.software {
        match &step.step {
            Step::Reboot(_) => {
                restarts += 1;
                joined = 0;
            }
            step if step.rounds() > 1 => restarts += step.rounds(),
            step if step.may_reboot() => joined = 1,
            _ => {}
        }
    }
    restarts + joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_cleanup_stands_for_what_names_it_as_its_cure() {
        let schema = reseal_spec::schema::schema();
        let words = schema
            .pointer("/definitions/Cleanup/oneOf")
            .and_then(|words| words.as_array());
        let words: Vec<_> = words
            .into_iter()
            .flatten()
            .filter_map(|word| word.get("const"))
            .collect();
        assert!(words.len() > 10, "{words:?}");
        for word in words {
            let cleanup: Cleanup = serde_json::from_value(word.clone()).unwrap();
            let categories = meant(cleanup);
            assert!(!categories.is_empty());
            for category in categories {
                assert_eq!(word, category.in_spec());
            }
        }
    }
}
