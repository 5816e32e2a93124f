//! Installers, updates from files, packages, and scripts of the user.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::detect::{Detect, directive, look};
use super::{Answered, Cx, Failure, Step, read};
use crate::guest::files::{Content, hash, name};
use crate::guest::package::Package;
use crate::guest::windows::{Appx, Product};
use crate::winrm::bytes::utf16le;

/// `ERROR_INSTALL_PACKAGE_INVALID`.
const NO_PACKAGE: u32 = 1620;
/// How long a busy Windows Installer is left alone before the next try.
const PATIENCE: f64 = 30.0;

/// A file that has been brought into the guest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// Where it is.
    pub path: String,
    sha256: Option<String>,
    publisher: Option<String>,
    #[expect(dead_code, reason = "part of the contract; the hash says more")]
    size: Option<u64>,
}

impl Payload {
    /// Checks presence, hash and signature, as before every execution.
    ///
    /// # Errors
    /// `missing_file`, `hash_mismatch`, `not_signed`, `signature_invalid`, `wrong_publisher`.
    pub fn check(&self, cx: &Cx<'_>) -> Result<Option<Package>, Failure> {
        let fail = |kind: &str, text: &str| Err(Failure::new(kind, format!("{}: {text}", self.path)));
        let Some(content) = cx.state.disk.files.content(&self.path) else {
            return fail("missing_file", "is not there");
        };
        if self
            .sha256
            .as_ref()
            .is_some_and(|sha256| content.sha256() != sha256.to_lowercase())
        {
            return fail("hash_mismatch", "has another SHA-256");
        }
        let package = Package::read(content.kept());
        let Some(wanted) = &self.publisher else {
            return Ok(package);
        };
        let (state, subject) = package.as_ref().map_or(("not_signed", None), Package::signed);
        match state {
            "valid" if subject == Some(wanted.as_str()) => Ok(package),
            "valid" => fail(
                "wrong_publisher",
                &format!("is signed by {}", subject.unwrap_or("nobody")),
            ),
            "not_signed" => fail("not_signed", "is not signed"),
            other => fail("signature_invalid", &format!("its signature is {other}")),
        }
    }
}

/// What exit codes mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Codes {
    success: Vec<u32>,
    reboot: Vec<u32>,
    already: Vec<u32>,
    busy: Vec<u32>,
}

struct Job<'a> {
    payload: &'a Payload,
    work: &'a str,
    log: Option<&'a str>,
    timeout_seconds: f64,
    busy_seconds: f64,
    codes: &'a Codes,
    detect: Option<&'a Detect>,
    /// What Windows Installer is told, and writes into its log; `None` for other installers.
    properties: Option<&'a BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MsiInput {
    work: String,
    timeout_seconds: f64,
    busy_seconds: f64,
    msi: Payload,
    transforms: Vec<Payload>,
    patches: Vec<Payload>,
    properties: BTreeMap<String, String>,
    #[expect(dead_code, reason = "the lab's packages have no features")]
    features: Vec<String>,
    #[expect(dead_code, reason = "the lab's packages take no arguments")]
    arguments: Vec<String>,
    codes: Codes,
    detect: Option<Detect>,
}

/// `install_msi`.
pub fn msi(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: MsiInput = read(input)?;
    for payload in wanted.transforms.iter().chain(&wanted.patches) {
        payload.check(cx)?;
    }
    let job = Job {
        payload: &wanted.msi,
        work: &wanted.work,
        log: None,
        timeout_seconds: wanted.timeout_seconds,
        busy_seconds: wanted.busy_seconds,
        codes: &wanted.codes,
        detect: wanted.detect.as_ref(),
        properties: Some(&wanted.properties),
    };
    install(cx, &job)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExeInput {
    work: String,
    timeout_seconds: f64,
    busy_seconds: f64,
    family: String,
    exe: Payload,
    response_file: Option<Payload>,
    #[expect(dead_code, reason = "the lab's packages leave the files that they name")]
    directory: Option<String>,
    arguments: Vec<String>,
    log: Option<String>,
    codes: Codes,
    detect: Option<Detect>,
}

/// `install_exe`. An installer that is started without its silent switch shows a window and never ends.
pub fn exe(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: ExeInput = read(input)?;
    if let Some(file) = &wanted.response_file {
        file.check(cx)?;
    }
    if wanted.family != "custom" && wanted.arguments.is_empty() {
        let seconds = wanted.timeout_seconds;
        return Err(Failure {
            seconds,
            ..Failure::new("timeout", "the installer shows a window and waits")
        });
    }
    let job = Job {
        payload: &wanted.exe,
        work: &wanted.work,
        log: wanted.log.as_deref(),
        timeout_seconds: wanted.timeout_seconds,
        busy_seconds: wanted.busy_seconds,
        codes: &wanted.codes,
        detect: wanted.detect.as_ref(),
        properties: None,
    };
    install(cx, &job)
}

fn install(cx: &mut Cx<'_>, job: &Job<'_>) -> Answered {
    let package = job.payload.check(cx)?;
    let before = job.detect.map(|detect| look(&cx.state.disk, detect));
    if let Some(before) = before.as_ref().filter(|before| before.present) {
        let json = Some(before.json());
        let step = Step::already(before.detail.clone());
        return Step {
            before: json.clone(),
            after: json,
            ..step
        }
        .done();
    }
    let waited = wait_while_busy(cx, job)?;
    let package = package.unwrap_or_else(|| Package {
        exit_code: NO_PACKAGE,
        seconds: 1.0,
        ..Package::default()
    });
    let code = forced_code(cx, job.payload).unwrap_or(package.exit_code);
    let log = write_log(cx, job, &package, code);
    let seconds = waited + package.seconds;
    judge(job, code, seconds, &log)?;
    apply(cx, &package, job);
    let after = job.detect.map(|detect| look(&cx.state.disk, detect));
    if after.as_ref().is_some_and(|after| !after.present) {
        let message = "the installer says that it succeeded, and the detection does not find it";
        return Err(ended(Failure::new("not_detected", message), code, seconds, &log));
    }
    let reboot = package.reboot || job.codes.reboot.contains(&code);
    cx.state.disk.pending.cbs |= reboot;
    let what = format!("{} {}", package.product, package.version);
    Step {
        reboot_required: reboot,
        exit_code: Some(code),
        before: before.map(|before| before.json()),
        after: after.map(|after| after.json()),
        logs: vec![log],
        seconds,
        log: vec![format!("Installing {}", package.product), format!("{what} done")],
        ..Step::changed(what)
    }
    .done()
}

/// The installer's own log.
fn write_log(cx: &mut Cx<'_>, job: &Job<'_>, package: &Package, code: u32) -> String {
    let log = job
        .log
        .map_or_else(|| format!("{}\\install.log", job.work), ToOwned::to_owned);
    let text = format!(
        "Product: {} -- Installation completed, status {code}.\r\n",
        package.product
    );
    match job.properties {
        None => cx.state.disk.files.write_text(&log, &text, cx.now),
        Some(properties) => {
            // A verbose log of Windows Installer is UTF-16 and tells every property, the secret ones too.
            let line = |(name, value)| format!("Property(S): {name} = {value}\r\n");
            let told: String = properties.iter().map(line).collect();
            let bytes = utf16le(&format!("\u{feff}{told}{text}"));
            cx.state.disk.files.write(&log, Content::Whole(bytes.into()), cx.now);
        }
    }
    log
}

/// Whether an installer ended in time and with a code that means success.
fn judge(job: &Job<'_>, code: u32, seconds: f64, log: &str) -> Result<(), Failure> {
    if seconds > job.timeout_seconds {
        let seconds = job.timeout_seconds;
        let logs = vec![log.to_owned()];
        return Err(Failure {
            logs,
            seconds,
            ..Failure::new("timeout", "the installer did not end in time")
        });
    }
    if job.codes.success.contains(&code) || job.codes.already.contains(&code) {
        return Ok(());
    }
    let kind = if job.codes.busy.contains(&code) {
        "busy"
    } else {
        "exit_code"
    };
    let message = format!("{} ended with {code}", name(&job.payload.path));
    Err(ended(Failure::new(kind, message), code, seconds, log))
}

fn ended(failure: Failure, code: u32, seconds: f64, log: &str) -> Failure {
    Failure {
        code: Some(code),
        logs: vec![log.to_owned()],
        seconds,
        ..failure
    }
}

fn wait_while_busy(cx: &Cx<'_>, job: &Job<'_>) -> Result<f64, Failure> {
    let mut waited = 0.0;
    while cx.faults().strike("msi-busy").is_some() {
        waited += PATIENCE;
        if waited > job.busy_seconds {
            let message = "another installation is in progress";
            let code = Some(1618);
            return Err(Failure {
                code,
                seconds: job.busy_seconds,
                ..Failure::new("busy", message)
            });
        }
    }
    Ok(waited)
}

/// The fault `exit-code=FILE:N`.
fn forced_code(cx: &Cx<'_>, payload: &Payload) -> Option<u32> {
    let armed = cx.faults().armed("exit-code")?;
    let (file, code) = armed.rsplit_once(':')?;
    name(&payload.path).eq_ignore_ascii_case(file).then_some(())?;
    cx.faults().strike("exit-code")?;
    code.parse().ok()
}

fn apply(cx: &mut Cx<'_>, package: &Package, job: &Job<'_>) {
    if let Some(Detect::Script { script }) = job.detect {
        cx.state.disk.satisfied.insert(hash(script.as_bytes()));
    }
    if package.leaves_nothing {
        return;
    }
    for file in &package.files {
        cx.state.disk.files.write_text(file, &package.product, cx.now);
    }
    for service in &package.services {
        cx.state.disk.put_service(service, "Auto", true);
    }
    if let Some(full_name) = &package.appx {
        let users = BTreeSet::from([cx.sid.clone()]);
        cx.state.disk.appx.push(Appx {
            full_name: full_name.clone(),
            provisioned: false,
            users,
        });
    }
    if package.product.is_empty() {
        return;
    }
    let id = package.product_code.clone().unwrap_or_else(|| package.product.clone());
    cx.state.disk.products.retain(|product| product.name != package.product);
    let msi = job.properties.is_some() || package.family == "msi";
    let (name, version, publisher) = (
        package.product.clone(),
        package.version.clone(),
        package.publisher.clone(),
    );
    cx.state.disk.products.push(Product {
        id,
        name,
        version,
        publisher,
        msi,
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Msix {
    package: Payload,
    dependencies: Vec<Payload>,
    license: Option<Payload>,
    name: Option<String>,
}

/// `msix`: provisioned for all users, so that sysprep does not stumble over it.
pub fn msix(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Msix = read(input)?;
    for payload in wanted.dependencies.iter().chain(&wanted.license) {
        payload.check(cx)?;
    }
    let package = wanted
        .package
        .check(cx)?
        .ok_or_else(|| Failure::new("unexpected", "not a package").hresult(0x8008_0204))?;
    let short = wanted.name.unwrap_or_else(|| package.product.clone());
    if cx
        .state
        .disk
        .appx
        .iter()
        .any(|appx| appx.provisioned && appx.full_name.starts_with(&short))
    {
        return Step::already(short).done();
    }
    let full_name = package
        .appx
        .clone()
        .unwrap_or_else(|| format!("{short}_{}_x64__lab", package.version));
    cx.state.disk.appx.push(Appx {
        full_name: full_name.clone(),
        provisioned: true,
        users: BTreeSet::new(),
    });
    Step {
        seconds: package.seconds,
        ..Step::changed(full_name)
    }
    .done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Servicing {
    #[expect(dead_code, reason = "the lab writes no log for it")]
    work: String,
    timeout_seconds: f64,
    #[expect(dead_code, reason = "servicing is never busy in the lab")]
    busy_seconds: f64,
    #[serde(alias = "msu", alias = "cab")]
    payload: Payload,
    #[serde(alias = "kb", alias = "package")]
    id: Option<String>,
    codes: Codes,
}

/// `msu` and `cab`.
pub fn servicing(cx: &mut Cx<'_>, op: &str, input: &Value) -> Answered {
    let wanted: Servicing = read(input)?;
    if !cx.detached {
        return Err(Failure::new("access_denied", "Access is denied.").hresult(0x8007_0005));
    }
    let package = wanted.payload.check(cx)?;
    let Some(package) = package else {
        return Err(
            Failure::new("not_applicable", format!("the {op} file is not for this computer")).hresult(0x8024_0017),
        );
    };
    let id = wanted
        .id
        .or_else(|| package.kb.clone())
        .unwrap_or_else(|| package.product.clone());
    if cx.state.disk.updates.contains(&id) {
        return Step::already(id).done();
    }
    if package.seconds > wanted.timeout_seconds {
        let seconds = wanted.timeout_seconds;
        return Err(Failure {
            seconds,
            ..Failure::new("timeout", "servicing did not end in time")
        });
    }
    if !wanted.codes.success.contains(&package.exit_code) {
        let code = Some(package.exit_code);
        return Err(Failure {
            code,
            seconds: package.seconds,
            ..Failure::new("exit_code", "servicing failed")
        });
    }
    cx.state.disk.updates.insert(id.clone());
    cx.state.disk.pending.cbs |= package.reboot;
    let (exit_code, seconds) = (Some(package.exit_code), package.seconds);
    Step {
        reboot_required: package.reboot,
        exit_code,
        seconds,
        ..Step::changed(id)
    }
    .done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chocolatey {
    #[expect(dead_code, reason = "the lab writes no log for it")]
    work: String,
    #[expect(dead_code, reason = "never slow in the lab")]
    timeout_seconds: f64,
    #[expect(dead_code, reason = "never busy in the lab")]
    busy_seconds: f64,
    package: String,
    version: Option<String>,
    #[expect(dead_code, reason = "the lab has every package")]
    feed: Option<String>,
    #[expect(dead_code, reason = "the lab's packages take no arguments")]
    arguments: Vec<String>,
    bootstrap: Option<Payload>,
    #[expect(dead_code, reason = "the lab's packages end with 0")]
    codes: Codes,
}

/// `chocolatey`.
pub fn chocolatey(cx: &mut Cx<'_>, input: &Value) -> Answered {
    const CHOCO: &str = "C:\\ProgramData\\chocolatey\\bin\\choco.exe";
    let wanted: Chocolatey = read(input)?;
    if cx.state.disk.files.content(CHOCO).is_none() {
        let Some(bootstrap) = &wanted.bootstrap else {
            return Err(Failure::new(
                "unsupported",
                "Chocolatey is not installed, and no bootstrap was given",
            ));
        };
        bootstrap.check(cx)?;
        cx.state.disk.files.write_text(CHOCO, "choco", cx.now);
    }
    let version = wanted.version.unwrap_or_else(|| "1.0.0".to_owned());
    let same = |product: &Product| product.name == wanted.package && product.version == version;
    if cx.state.disk.products.iter().any(same) {
        return Step::already(format!("{} {version}", wanted.package)).done();
    }
    let product = Product {
        id: wanted.package.clone(),
        name: wanted.package.clone(),
        version: version.clone(),
        publisher: None,
        msi: false,
    };
    cx.state.disk.products.push(product);
    Step {
        seconds: 25.0,
        exit_code: Some(0),
        ..Step::changed(format!("{} {version}", wanted.package))
    }
    .done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleInput {
    #[expect(dead_code, reason = "the lab needs no folder for it")]
    work: String,
    module: String,
    version: Option<String>,
    #[expect(dead_code, reason = "the lab has every module")]
    repository: String,
    archive: Option<Payload>,
    state: String,
}

/// `powershell_module`.
pub fn module(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: ModuleInput = read(input)?;
    if let Some(archive) = &wanted.archive {
        archive.check(cx)?;
    } else if cx.faults().armed("guest-offline").is_some() {
        return Err(Failure::new("network", "Unable to resolve package source"));
    }
    let folder = format!("C:\\Program Files\\WindowsPowerShell\\Modules\\{}", wanted.module);
    let there = cx.state.disk.files.get(&folder).is_some();
    if wanted.state == "absent" {
        cx.state.disk.files.remove(&folder);
        return Step::either(there, wanted.module).done();
    }
    let version = wanted.version.unwrap_or_else(|| "1.0.0".to_owned());
    cx.state
        .disk
        .files
        .write_text(&format!("{folder}\\{version}\\{}.psd1", wanted.module), "@{}", cx.now);
    Step {
        seconds: 8.0,
        ..Step::either(!there, format!("{} {version}", wanted.module))
    }
    .done()
}

#[derive(Deserialize)]
struct Script {
    work: String,
    timeout_seconds: f64,
    #[serde(default)]
    file: Option<Payload>,
    #[serde(default)]
    inline: Option<String>,
    #[serde(default)]
    command: Option<String>,
    codes: Codes,
}

/// `powershell` and `cmd`. The lab cannot run them: lines `# reseal-lab: exit N`, `# reseal-lab: seconds N`,
/// `# reseal-lab: print TEXT`, `# reseal-lab: write PATH` and `# reseal-lab: pending` in the text say what they do.
pub fn script(cx: &mut Cx<'_>, op: &str, input: &Value) -> Answered {
    let wanted: Script = read(input)?;
    let text = match (&wanted.file, wanted.inline.or(wanted.command)) {
        (Some(file), None) => {
            file.check(cx)?;
            cx.state.disk.files.text(&file.path).unwrap_or_default().to_owned()
        }
        (None, Some(text)) => text,
        _ => return Err(Failure::new("invalid_input", format!("`{op}` takes a file or a text"))),
    };
    let number = |word: &str| directive(&text, &[word]).and_then(|(_, rest)| rest.trim().parse::<f64>().ok());
    let seconds = number("seconds").unwrap_or(2.0);
    let log = format!("{}\\output.log", wanted.work);
    if seconds > wanted.timeout_seconds {
        let seconds = wanted.timeout_seconds;
        return Err(Failure {
            seconds,
            logs: vec![log],
            ..Failure::new("timeout", "the script did not end in time")
        });
    }
    let code = directive(&text, &["exit"])
        .and_then(|(_, rest)| rest.trim().parse().ok())
        .unwrap_or(0);
    let printed = directive(&text, &["print"]).map(|(_, rest)| rest.to_owned());
    if let Some((_, path)) = directive(&text, &["write"]) {
        cx.state.disk.files.write_text(path.trim(), &text, cx.now);
    }
    if directive(&text, &["pending"]).is_some() {
        cx.state.disk.pending.cbs = true;
    }
    if !wanted.codes.success.contains(&code) {
        let failure = Failure::new("exit_code", format!("the script ended with {code}"));
        return Err(Failure {
            code: Some(code),
            logs: vec![log],
            seconds,
            ..failure
        });
    }
    let reboot_required = wanted.codes.reboot.contains(&code);
    cx.state.disk.pending.cbs |= reboot_required;
    let lines = printed.into_iter().collect();
    Step {
        reboot_required,
        exit_code: Some(code),
        seconds,
        log: lines,
        ..Step::changed(op)
    }
    .done()
}
