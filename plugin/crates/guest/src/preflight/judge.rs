//! From facts to findings: each row of the preflight table is one function.

use jiff::Timestamp;

use crate::preflight::Facts;
use crate::system::Fixes;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Sysprep may still succeed.
    Warning,
    /// Not now, but waiting helps.
    Wait,
    /// Sysprep would fail.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code, e.g. `P012`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What to do.
    pub cure: String,
    /// The fix of `preflight_fix` that cures it.
    pub fixable: Option<Fixes>,
}

/// What the spec allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A domain member may be generalized (it leaves the domain).
    pub allow_domain: bool,
    /// The answer file has `SkipRearm` = 1.
    pub skip_rearm: bool,
    /// The runner's clock, seconds since 1970, to compare the guest's with.
    pub now_epoch: Option<i64>,
    /// Codes that the spec accepts as they are; such findings become warnings.
    pub accept: Vec<String>,
}

/// All findings, the worst first.
pub fn judge(facts: &Facts, options: &Options) -> Vec<Finding> {
    let mut found = Findings::default();
    for row in ROWS {
        row(facts, options, &mut found);
    }
    let mut findings = found.0;
    for finding in &mut findings {
        if finding.severity > Severity::Warning && options.accept.iter().any(|code| code == finding.code) {
            finding.severity = Severity::Warning;
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

type Row = fn(&Facts, &Options, &mut Findings);

const ROWS: [Row; 19] = [
    account,
    language_mode,
    earlier_run,
    image_state,
    running,
    rearm,
    licensing_service,
    pending,
    servicing,
    reserved_storage,
    apps,
    encryption,
    domain,
    roles,
    leftovers,
    providers,
    services,
    room_and_clock,
    unknown,
];

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: &'static str, severity: Severity, message: impl Into<String>, cure: &str) {
        self.0.push(Finding {
            code,
            severity,
            message: message.into(),
            cure: cure.to_owned(),
            fixable: None,
        });
    }

    fn add_fixable(
        &mut self,
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        cure: &str,
        fix: Fixes,
    ) {
        self.add(code, severity, message, cure);
        if let Some(last) = self.0.last_mut() {
            last.fixable = Some(fix);
        }
    }
}

fn account(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.elevated == Some(false) {
        let cure =
            "use an administrator with the full token; over the network that needs LocalAccountTokenFilterPolicy = 1";
        found.add("P001", Severity::Error, "the account has no elevated token", cure);
    }
    if facts.user_sid.as_deref() == Some("S-1-5-18") {
        let cure = "run as the build administrator; as SYSTEM the image of newer Windows shows a black screen";
        found.add(
            "P002",
            Severity::Warning,
            "sysprep would run as SYSTEM, which is not supported",
            cure,
        );
    }
}

fn language_mode(facts: &Facts, _: &Options, found: &mut Findings) {
    if let Some(mode) = facts.language_mode.as_deref().filter(|mode| *mode != "FullLanguage") {
        let cure = "lift the WDAC or AppLocker policy while the image is built";
        found.add(
            "P003",
            Severity::Error,
            format!("PowerShell is restricted to {mode}"),
            cure,
        );
    }
}

fn earlier_run(facts: &Facts, _: &Options, found: &mut Findings) {
    let cure = "begin again from the base image; a half generalized system cannot be repaired";
    match (facts.generalization_state, facts.cleanup_state) {
        (Some(state), _) if state != 7 => {
            let message = format!("an earlier sysprep did not end well: GeneralizationState is {state} instead of 7");
            found.add("P004", Severity::Error, message, cure);
        }
        (_, Some(state)) if state != 2 => {
            let message = format!("an earlier sysprep did not end well: CleanupState is {state} instead of 2");
            found.add("P004", Severity::Error, message, cure);
        }
        _ => {}
    }
}

fn image_state(facts: &Facts, _: &Options, found: &mut Findings) {
    let Some(state) = facts.image_state.as_deref().filter(|state| !state.is_empty()) else {
        return;
    };
    let audit = facts.audit_boot == Some(1) && state.ends_with("_RESEAL_TO_AUDIT");
    if state != "IMAGE_STATE_COMPLETE" && !audit {
        let cure = "wait until the first boot has ended, or begin again from the base image";
        found.add("P005", Severity::Error, format!("the system's state is {state}"), cure);
    }
}

fn running(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.sysprep_running.is_some_and(|count| count > 0) {
        let cure = "end it; a run without /quiet waits for ever at a dialog that nobody sees";
        found.add("P006", Severity::Error, "sysprep is running already", cure);
    }
}

fn rearm(facts: &Facts, options: &Options, found: &mut Findings) {
    match facts.rearm_count {
        Some(0) if options.skip_rearm => {
            found.add(
                "P007",
                Severity::Info,
                "no rearm is left, and none is asked for (SkipRearm)",
                "nothing to do",
            );
        }
        Some(0) => {
            let cure = "set SkipRearm = 1 in the generalize pass, or begin again from a base image with rearms left";
            found.add("P007", Severity::Error, "no rearm is left", cure);
        }
        Some(left @ 1..=2) => {
            let message = format!("only {left} rearms are left for this and later images");
            found.add(
                "P008",
                Severity::Warning,
                message,
                "build from the original base image, not from an image of an image",
            );
        }
        _ => {}
    }
}

fn licensing_service(facts: &Facts, _: &Options, found: &mut Findings) {
    let disabled = facts
        .sppsvc_start
        .as_deref()
        .is_some_and(|start| start.eq_ignore_ascii_case("disabled"));
    let refused = matches!(facts.sppsvc.as_deref(), Some("refused" | "missing" | "stopped"));
    if disabled || refused {
        let cure = "set the service `sppsvc` back to automatic (delayed) and start it";
        found.add_fixable(
            "P009",
            Severity::Error,
            "the licensing service does not start",
            cure,
            Fixes::Services,
        );
    }
    if facts.license_status == Some(5) {
        let cure = "nothing to do for a volume licence that is activated on the clone; an expired evaluation shuts down every hour";
        found.add("P010", Severity::Info, "Windows is not activated", cure);
    }
}

fn pending(facts: &Facts, _: &Options, found: &mut Findings) {
    let Some(pending) = &facts.pending else { return };
    if !pending.hard.is_empty() {
        let signals: Vec<&str> = pending.hard.iter().map(|signal| signal.signal.as_str()).collect();
        let message = format!("a restart is pending: {}", signals.join(", "));
        found.add(
            "P011",
            Severity::Error,
            message,
            "restart, perhaps twice, and ask again",
        );
    }
    if !pending.soft.is_empty() {
        let signals: Vec<String> = pending
            .soft
            .iter()
            .take(3)
            .map(|signal| format!("{} ({})", signal.signal, signal.detail))
            .collect();
        let message = format!(
            "{} files wait for a restart: {}",
            pending.soft.len(),
            signals.join(", ")
        );
        found.add(
            "P012",
            Severity::Info,
            message,
            "a restart may clear them; some programs leave such entries for ever",
        );
    }
}

fn servicing(facts: &Facts, _: &Options, found: &mut Findings) {
    let Some(pending) = &facts.pending else { return };
    if !pending.busy.is_empty() {
        let message = format!("Windows is servicing itself: {}", pending.busy.join(", "));
        found.add("P013", Severity::Wait, message, "wait until these processes have ended");
    }
    if pending.msi_mutex {
        found.add(
            "P014",
            Severity::Wait,
            "Windows Installer is at work",
            "wait until it has ended",
        );
    }
}

fn reserved_storage(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.reserved_storage.as_deref() == Some("in_use") {
        let cure = "wait for servicing to end and restart, or switch reserved storage off";
        found.add_fixable(
            "P015",
            Severity::Error,
            "reserved storage is in use",
            cure,
            Fixes::ReservedStorage,
        );
    }
}

fn apps(facts: &Facts, _: &Options, found: &mut Findings) {
    let blockers = facts
        .appx
        .as_ref()
        .map(|appx| appx.blockers.as_slice())
        .unwrap_or_default();
    if !blockers.is_empty() {
        let names: Vec<&str> = blockers.iter().map(|blocker| blocker.full_name.as_str()).collect();
        let message = format!(
            "apps are installed for a user but not provisioned: {}",
            names.join(", ")
        );
        let cure = "remove these packages for all users, or provision them";
        found.add_fixable("P016", Severity::Error, message, cure, Fixes::Appx);
    }
    if facts
        .appx_service
        .as_deref()
        .is_some_and(|start| start.eq_ignore_ascii_case("disabled"))
    {
        let cure = "set the service `AppXSvc` back to manual";
        found.add_fixable(
            "P017",
            Severity::Error,
            "the service `AppXSvc` is disabled",
            cure,
            Fixes::Services,
        );
    }
    let open = facts.store.is_some_and(|store| store.auto_download != Some(2));
    let has_apps = facts.appx.as_ref().is_some_and(|appx| appx.available) && facts.product_type == Some(1);
    if open && has_apps {
        let cure = "switch the store's automatic updates off while the image is built";
        found.add_fixable(
            "P018",
            Severity::Warning,
            "the store may update apps for one user",
            cure,
            Fixes::Store,
        );
    }
}

fn encryption(facts: &Facts, _: &Options, found: &mut Findings) {
    let volumes = facts.bitlocker.as_deref().unwrap_or_default();
    for volume in volumes.iter().filter(|volume| volume.conversion != 0) {
        let message = format!("BitLocker is on for {} ({} % encrypted)", volume.drive, volume.percent);
        let system = volume.drive.eq_ignore_ascii_case("C:");
        let severity = if system { Severity::Error } else { Severity::Warning };
        found.add_fixable(
            "P019",
            severity,
            message,
            "decrypt the volume (manage-bde -off) and wait",
            Fixes::Bitlocker,
        );
    }
}

fn domain(facts: &Facts, options: &Options, found: &mut Findings) {
    if facts.domain_joined == Some(true) {
        let severity = if options.allow_domain {
            Severity::Warning
        } else {
            Severity::Error
        };
        let name = facts.domain.as_deref().unwrap_or("a domain");
        let message = format!("the machine is in {name} and would leave it silently");
        found.add(
            "P020",
            severity,
            message,
            "build images outside the domain and join on the clone",
        );
    }
}

/// Roles that do not survive generalize.
const BAD_ROLES: [&str; 9] = [
    "AD-Certificate",
    "AD-Domain-Services",
    "ADFS-Federation",
    "ADLDS",
    "ADRMS",
    "DHCP",
    "Fax",
    "NPAS",
    "UpdateServices",
];

fn roles(facts: &Facts, _: &Options, found: &mut Findings) {
    let roles = facts.roles.as_deref().unwrap_or_default();
    let has = |name: &str| roles.iter().any(|role| role == name);
    for role in BAD_ROLES.into_iter().filter(|role| has(role)) {
        // The role alone is harmless until the server is promoted, which makes it product type 2.
        let severity = if role == "AD-Domain-Services" && facts.product_type != Some(2) {
            Severity::Warning
        } else {
            Severity::Error
        };
        let message = format!("the role {role} does not survive sysprep");
        found.add("P021", severity, message, "install it on the clone instead");
    }
    if has("Hyper-V") && facts.hyperv_switches.is_some_and(|count| count > 0) {
        found.add(
            "P022",
            Severity::Error,
            "Hyper-V has virtual switches",
            "remove the virtual switches first",
        );
    }
    if facts.iis_encrypted_credentials == Some(true) {
        let cure = "their key belongs to this machine; set these passwords on the clone";
        found.add(
            "P023",
            Severity::Error,
            "IIS has encrypted passwords in applicationHost.config",
            cure,
        );
    }
    if has("WDS") {
        found.add(
            "P024",
            Severity::Warning,
            "Windows Deployment Services is installed",
            "run `wdsutil /uninitialize-server` first",
        );
    }
}

fn leftovers(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.upgrade_keys.is_some_and(|count| count > 0) {
        let cure = "sysprep may fail with 0x80070003; begin with a clean installation";
        found.add("P025", Severity::Warning, "this Windows was upgraded in place", cure);
    }
    if facts.windows_old == Some(true) {
        found.add(
            "P026",
            Severity::Warning,
            r"C:\Windows.old is there",
            "remove it, or clean `windows_old`",
        );
    }
    let files = facts.answer_files.as_deref().unwrap_or_default();
    if !files.is_empty() {
        let message = format!("old answer files are there: {}", files.join(", "));
        let cure = "remove them; Setup could take one of them";
        found.add_fixable("P027", Severity::Warning, message, cure, Fixes::AnswerFiles);
    }
    let others = facts
        .profiles
        .as_deref()
        .unwrap_or_default()
        .iter()
        .filter(|profile| !profile.loaded)
        .count();
    if others > 0 {
        found.add(
            "P028",
            Severity::Info,
            format!("{others} other user profiles stay in the image"),
            "remove them if they should not",
        );
    }
}

fn providers(facts: &Facts, _: &Options, found: &mut Findings) {
    for provider in facts.external_providers.as_deref().unwrap_or_default() {
        let message = format!("another program takes part in {}: {}", provider.pass, provider.command);
        found.add(
            "P029",
            Severity::Info,
            message,
            "if it fails, remove its value under SysPrepExternal",
        );
    }
    if facts.sense_onboarded == Some(true) {
        let cure = "run the offboarding package; onboard on the clone";
        found.add("P030", Severity::Error, "Defender for Endpoint is onboarded", cure);
    }
}

/// Services that must not be at work during sysprep.
const DISTURBING: [&str; 3] = ["WSearch", "tiledatamodelsvc", "WMPNetworkSvc"];

fn services(facts: &Facts, _: &Options, found: &mut Findings) {
    for service in facts.services.as_deref().unwrap_or_default() {
        if DISTURBING.contains(&service.name.as_str()) && service.state == "running" {
            let message = format!("the service {} runs and may disturb sysprep", service.name);
            found.add_fixable("P031", Severity::Warning, message, "stop it before", Fixes::Services);
        }
        if service.name == "wuauserv" && service.start.eq_ignore_ascii_case("disabled") {
            let cure = "set it to manual; sysprep's update provider hangs otherwise";
            found.add_fixable(
                "P032",
                Severity::Warning,
                "the service wuauserv is disabled",
                cure,
                Fixes::Services,
            );
        }
    }
}

const GIB: u64 = 1 << 30;

fn room_and_clock(facts: &Facts, options: &Options, found: &mut Findings) {
    match facts.free_bytes {
        Some(free) if free < 2 * GIB => {
            let message = format!("only {} MB are free on C:", free >> 20);
            found.add(
                "P033",
                Severity::Error,
                message,
                "make room, or take a larger root volume",
            );
        }
        Some(free) if free < 10 * GIB => {
            let message = format!("only {} GB are free on C:", free / GIB);
            found.add(
                "P034",
                Severity::Warning,
                message,
                "make room, or take a larger root volume",
            );
        }
        _ => {}
    }
    if facts.bcd.is_some_and(|code| code != 0) {
        let cure = r"repair it with `bcdboot C:\Windows`";
        found.add("P035", Severity::Warning, "the boot configuration cannot be read", cure);
    }
    let guest = facts.now_utc.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    if let (Some(guest), Some(now)) = (guest, options.now_epoch) {
        let difference = guest.as_second().saturating_sub(now);
        if difference.unsigned_abs() > 300 {
            let message = format!("the guest's clock is {difference} seconds off");
            found.add("P036", Severity::Warning, message, "let the guest synchronize its time");
        }
    }
}

fn unknown(facts: &Facts, _: &Options, found: &mut Findings) {
    for problem in &facts.problems {
        let message = format!("`{}` could not be read: {}", problem.fact, problem.message);
        found.add("P037", Severity::Warning, message, "sysprep may find out by itself");
    }
}
