//! From facts to findings: each row of the preflight table is one function.

use jiff::Timestamp;

use super::rules::RULES;
use crate::preflight::Facts;
use crate::rule::{Finding, Findings, Severity};
use crate::system::Signal;

/// What the spec allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The answer file has `SkipRearm` = 1.
    pub skip_rearm: bool,
    /// The answer file has `CopyProfile`.
    pub copy_profile: bool,
    /// The runner's clock, seconds since 1970, to compare the guest's with.
    pub now_epoch: Option<i64>,
    /// Codes that the spec accepts as they are; such findings become warnings.
    pub accept: Vec<String>,
}

/// All findings, the worst first.
pub fn judge(facts: &Facts, options: &Options) -> Vec<Finding> {
    let mut found = Findings::new(RULES);
    for row in ROWS {
        row(facts, options, &mut found);
    }
    let mut findings = found.sorted();
    for finding in &mut findings {
        if finding.severity > Severity::Warning && options.accept.iter().any(|code| code == finding.code) {
            finding.severity = Severity::Warning;
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

type Row = fn(&Facts, &Options, &mut Findings);

const ROWS: [Row; 22] = [
    account,
    surroundings,
    earlier_run,
    image_state,
    running,
    rearm,
    licensing,
    pending,
    servicing,
    reserved_storage,
    apps,
    encryption,
    domain,
    roles,
    upgrade,
    answer_files,
    profiles,
    providers,
    services,
    room,
    boot_and_clock,
    unknown,
];

/// Builds before Windows 10 1607 and Server 2016 are not supported.
const OLDEST_BUILD: u32 = 14_393;

fn is(text: Option<&str>, word: &str) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(word))
}

fn account(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.elevated == Some(false) {
        found.add("P001", Severity::Error, "the account has no elevated token");
    }
    let sid = facts.user_sid.as_deref().unwrap_or_default();
    if sid == "S-1-5-18" {
        let message = "sysprep would run as SYSTEM, which is not supported";
        found.add("P002", Severity::Warning, message);
    }
    let built_in = sid.is_empty() || sid == "S-1-5-18" || sid.ends_with("-500");
    if facts.network_logon == Some(true) && facts.token_filter == Some(false) && !built_in {
        let message = "the next network logon of this account has no administrator's rights";
        found.add("P048", Severity::Warning, message);
    }
}

fn surroundings(facts: &Facts, _: &Options, found: &mut Findings) {
    if let Some(mode) = facts.language_mode.as_deref().filter(|mode| *mode != "FullLanguage") {
        found.add("P003", Severity::Error, format!("PowerShell is restricted to {mode}"));
    }
    if let Some(build) = facts.build.filter(|build| *build < OLDEST_BUILD) {
        let message = format!("Windows build {build} is older than Server 2016 ({OLDEST_BUILD})");
        found.add("P038", Severity::Warning, message);
    }
    if facts.scheduler.as_deref().is_some_and(|state| state != "running") {
        found.add("P047", Severity::Error, "the task scheduler does not run");
    }
}

fn earlier_run(facts: &Facts, _: &Options, found: &mut Findings) {
    let (name, value, healthy) = match (facts.generalization_state, facts.cleanup_state) {
        (Some(state), _) if state != 7 => ("GeneralizationState", state, 7),
        (_, Some(state)) if state != 2 => ("CleanupState", state, 2),
        _ => return,
    };
    let message = format!("an earlier sysprep did not end well: {name} is {value} instead of {healthy}");
    found.add("P004", Severity::Error, message);
}

fn image_state(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.setup_in_progress == Some(true) {
        found.add("P049", Severity::Error, "Windows Setup has not ended");
    }
    let Some(state) = facts.image_state.as_deref().filter(|state| !state.is_empty()) else {
        return;
    };
    let audit = facts.audit_boot == Some(1) && state.ends_with("_RESEAL_TO_AUDIT");
    if state != "IMAGE_STATE_COMPLETE" && !audit {
        found.add("P005", Severity::Error, format!("the system's state is {state}"));
    }
}

fn running(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.sysprep_running.is_some_and(|count| count > 0) {
        found.add("P006", Severity::Error, "sysprep is running already");
    }
}

fn rearm(facts: &Facts, options: &Options, found: &mut Findings) {
    match facts.rearm_count {
        Some(0) if options.skip_rearm => {
            let message = "no rearm is left, and none is asked for (SkipRearm)";
            found.add("P007", Severity::Info, message);
        }
        Some(0) => found.add("P007", Severity::Error, "no rearm is left"),
        Some(left @ 1..=2) => {
            let message = format!("only {left} rearms are left for this and later images");
            found.add("P008", Severity::Warning, message);
        }
        _ => {}
    }
    let channel = facts.license_channel.as_deref().unwrap_or_default();
    if options.skip_rearm && channel.contains("GVLK") {
        found.add(
            "P052",
            Severity::Warning,
            "all clones will have one KMS client id (SkipRearm)",
        );
    }
    if facts.skip_rearm_left == Some(true) {
        let message = "SkipRearm is set in the registry: sysprep will not reset the activation";
        found.add("P040", Severity::Warning, message);
    }
}

fn licensing(facts: &Facts, _: &Options, found: &mut Findings) {
    let refused = matches!(facts.sppsvc.as_deref(), Some("refused" | "missing" | "stopped"));
    if is(facts.sppsvc_start.as_deref(), "disabled") || refused {
        found.add("P009", Severity::Error, "the licensing service does not start");
    }
    if facts.license_status != Some(5) {
        return;
    }
    if facts
        .license_channel
        .as_deref()
        .is_some_and(|channel| channel.contains("EVAL"))
    {
        let message = "the evaluation has expired: Windows shuts down every hour";
        found.add("P039", Severity::Warning, message);
    } else {
        found.add("P010", Severity::Info, "Windows is not activated");
    }
}

fn sources(signals: &[Signal]) -> String {
    let named = signals.iter().map(|signal| match signal.detail.as_str() {
        "" => signal.signal.clone(),
        detail => format!("{} ({detail})", signal.signal),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn pending(facts: &Facts, _: &Options, found: &mut Findings) {
    let Some(pending) = &facts.pending else { return };
    if !pending.hard.is_empty() {
        let message = format!("a restart is pending: {}", sources(&pending.hard));
        found.add("P011", Severity::Error, message);
    }
    if !pending.soft.is_empty() {
        let message = format!(
            "{} files wait for a restart: {}",
            pending.soft.len(),
            sources(&pending.soft)
        );
        found.add("P012", Severity::Info, message);
    }
}

fn servicing(facts: &Facts, _: &Options, found: &mut Findings) {
    if let Some(pending) = &facts.pending {
        if !pending.busy.is_empty() {
            let message = format!("Windows is servicing itself: {}", pending.busy.join(", "));
            found.add("P013", Severity::Wait, message);
        }
        if pending.msi_mutex {
            found.add("P014", Severity::Wait, "Windows Installer is at work");
        }
    }
    let installers = facts.installers.as_deref().unwrap_or_default();
    if !installers.is_empty() {
        let message = format!("an installer is running: {}", installers.join(", "));
        found.add("P042", Severity::Wait, message);
    }
    let idle = facts.pending.as_ref().is_none_or(|pending| !pending.msi_mutex);
    if facts.msi_unfinished == Some(true) && idle {
        found.add(
            "P041",
            Severity::Warning,
            "Windows Installer has begun an installation and not ended it",
        );
    }
}

fn reserved_storage(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.reserved_storage.as_deref() == Some("in_use") {
        found.add("P015", Severity::Error, "reserved storage is in use");
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
        found.add("P016", Severity::Error, message);
    }
    if is(facts.appx_service.as_deref(), "disabled") {
        found.add("P017", Severity::Error, "the service `AppXSvc` is disabled");
    }
    let open = facts.store.is_some_and(|store| store.auto_download != Some(2));
    let has_apps = facts.appx.as_ref().is_some_and(|appx| appx.available) && facts.product_type == Some(1);
    if open && has_apps {
        found.add("P018", Severity::Warning, "the store may update apps for one user");
    }
}

fn encryption(facts: &Facts, _: &Options, found: &mut Findings) {
    let volumes = facts.bitlocker.as_deref().unwrap_or_default();
    for volume in volumes.iter().filter(|volume| volume.conversion != 0) {
        let message = format!("BitLocker is on for {} ({} % encrypted)", volume.drive, volume.percent);
        let system = volume.drive.eq_ignore_ascii_case("C:");
        let severity = if system { Severity::Error } else { Severity::Warning };
        found.add("P019", severity, message);
    }
}

fn domain(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.domain_joined == Some(true) {
        let name = facts.domain.as_deref().unwrap_or("a domain");
        let message = format!("the machine is in {name} and would leave it silently");
        found.add("P020", Severity::Error, message);
    }
    if facts.entra_joined == Some(true) {
        found.add("P043", Severity::Error, "the machine is joined to Microsoft Entra ID");
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
        found.add("P021", severity, format!("the role {role} does not survive sysprep"));
    }
    if has("Hyper-V") && facts.hyperv_switches.is_some_and(|count| count > 0) {
        found.add("P022", Severity::Error, "Hyper-V has virtual switches");
    }
    if facts.iis_encrypted_credentials == Some(true) {
        let message = "IIS has encrypted passwords in applicationHost.config";
        found.add("P023", Severity::Error, message);
    }
    if has("WDS") {
        found.add("P024", Severity::Warning, "Windows Deployment Services is installed");
    }
    let instances = facts.sql_instances.as_deref().unwrap_or_default();
    if !instances.is_empty() {
        let message = format!("SQL Server is set up completely: {}", instances.join(", "));
        found.add("P044", Severity::Warning, message);
    }
}

fn upgrade(facts: &Facts, _: &Options, found: &mut Findings) {
    if facts.upgrade_keys.is_some_and(|count| count > 0) {
        found.add("P025", Severity::Warning, "this Windows was upgraded in place");
    }
    if facts.windows_old == Some(true) {
        found.add("P026", Severity::Warning, r"C:\Windows.old is there");
    }
}

fn answer_files(facts: &Facts, _: &Options, found: &mut Findings) {
    let files = facts.answer_files.as_deref().unwrap_or_default();
    if !files.is_empty() {
        let message = format!("old answer files are there: {}", files.join(", "));
        found.add("P027", Severity::Warning, message);
    }
    let media = facts.media_answer_files.as_deref().unwrap_or_default();
    if !media.is_empty() {
        let message = format!("a removable drive has an answer file: {}", media.join(", "));
        found.add("P051", Severity::Warning, message);
    }
}

fn profiles(facts: &Facts, options: &Options, found: &mut Findings) {
    let profiles = facts.profiles.as_deref().unwrap_or_default();
    let (gone, there): (Vec<_>, Vec<_>) = profiles.iter().partition(|profile| profile.exists == Some(false));
    let others = there.iter().filter(|profile| !profile.loaded).count();
    if others > 0 {
        let message = format!("{others} other user profiles stay in the image");
        found.add("P028", Severity::Info, message);
    }
    for profile in gone {
        let message = format!(
            "the profile of {} has no folder any more: {}",
            profile.sid, profile.path
        );
        // Whoever copies a profile looks through all entries, and Setup stops at this one.
        let severity = if options.copy_profile {
            Severity::Error
        } else {
            Severity::Warning
        };
        found.add("P050", severity, message);
    }
}

fn providers(facts: &Facts, _: &Options, found: &mut Findings) {
    for provider in facts.external_providers.as_deref().unwrap_or_default() {
        let what = format!("{}: {}", provider.pass, provider.command);
        if provider.found == Some(false) {
            found.add(
                "P045",
                Severity::Error,
                format!("a library that takes part in {what} is not there"),
            );
        } else if provider.hidden {
            found.add(
                "P045",
                Severity::Error,
                format!("a library that takes part in {what} is hidden"),
            );
        } else {
            found.add("P029", Severity::Info, format!("another program takes part in {what}"));
        }
    }
    if facts.sense_onboarded == Some(true) {
        found.add("P030", Severity::Error, "Defender for Endpoint is onboarded");
    }
}

/// Services that must not be at work during sysprep.
const DISTURBING: [&str; 3] = ["WSearch", "tiledatamodelsvc", "WMPNetworkSvc"];

/// Services that its providers call.
const NEEDED: [&str; 2] = ["CryptSvc", "VSS"];

fn services(facts: &Facts, _: &Options, found: &mut Findings) {
    for service in facts.services.as_deref().unwrap_or_default() {
        let name = service.name.as_str();
        let disabled = service.start.eq_ignore_ascii_case("disabled");
        if DISTURBING.contains(&name) && service.state == "running" {
            let message = format!("the service {name} runs and may disturb sysprep");
            found.add("P031", Severity::Warning, message);
        }
        if name == "wuauserv" && disabled {
            found.add("P032", Severity::Warning, "the service wuauserv is disabled");
        }
        if NEEDED.contains(&name) && disabled {
            found.add("P046", Severity::Warning, format!("the service {name} is disabled"));
        }
    }
}

const GIB: u64 = 1 << 30;

fn room(facts: &Facts, _: &Options, found: &mut Findings) {
    match facts.free_bytes {
        Some(free) if free < 2 * GIB => {
            let message = format!("only {} MB are free on C:", free >> 20);
            found.add("P033", Severity::Error, message);
        }
        Some(free) if free < 10 * GIB => {
            let message = format!("only {} GB are free on C:", free / GIB);
            found.add("P034", Severity::Warning, message);
        }
        _ => {}
    }
}

fn boot_and_clock(facts: &Facts, options: &Options, found: &mut Findings) {
    if facts.bcd.is_some_and(|code| code != 0) {
        found.add("P035", Severity::Warning, "the boot configuration cannot be read");
    }
    let guest = facts.now_utc.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    if let (Some(guest), Some(now)) = (guest, options.now_epoch) {
        let difference = guest.as_second().saturating_sub(now);
        if difference.unsigned_abs() > 300 {
            let message = format!("the guest's clock is {difference} seconds off");
            found.add("P036", Severity::Warning, message);
        }
    }
}

fn unknown(facts: &Facts, _: &Options, found: &mut Findings) {
    for problem in &facts.problems {
        let message = format!("`{}` could not be read: {}", problem.fact, problem.message);
        found.add("P037", Severity::Warning, message);
    }
}
