//! What can go wrong in the guest.

use super::breakdowns;
use crate::faults::FaultInfo;

const fn fault(name: &'static str, what: &'static str) -> FaultInfo {
    FaultInfo { name, what }
}

/// Every fault of the guest.
pub fn faults() -> Vec<FaultInfo> {
    [&sysprep_faults(), CLONE, OTHER].concat()
}

/// The faults by which sysprep fails: states that a look before it can see, and what happens only while it runs.
pub fn sysprep_faults() -> Vec<FaultInfo> {
    SYSPREP.iter().copied().chain(breakdowns::faults()).collect()
}

const SYSPREP: &[FaultInfo] = &[
    fault(
        "appx",
        "an app package (=FULL NAME) is installed for a user and not provisioned: sysprep refuses",
    ),
    fault(
        "pending-reboot",
        "servicing (=cbs) or Windows Update (=wu) waits for a reboot once the machine is up",
    ),
    fault(
        "bitlocker",
        "C: is encrypted to this percentage: sysprep refuses; decrypting takes time",
    ),
    fault("reserved-storage", "reserved storage is in use: sysprep refuses"),
    fault(
        "rearm-zero",
        "the licence cannot be rearmed any more: sysprep breaks off half-way",
    ),
    fault(
        "previous-failure",
        "an earlier sysprep run broke off: the next one ends at once",
    ),
    fault(
        "sense-onboarded",
        "Defender for Endpoint is onboarded: sysprep breaks off half-way",
    ),
    fault("hang-validate", "sysprep's validation never ends"),
    fault("hang-pnp", "sysprep's driver cleanup never ends"),
    fault("modal", "sysprep shows a dialog box and waits for a person"),
    fault("bad-args", "sysprep cannot read its command line"),
    fault("killed-with-shell", "sysprep is killed while it changes things"),
    fault("surprise-off", "the power fails while sysprep runs"),
    fault("stale-success", "sysprep does nothing, and an old tag lies there"),
    fault("false-ok", "sysprep ends with 0 and does nothing"),
    fault("appx-service-disabled", "the app service is disabled: sysprep refuses"),
    fault("licensing-service-disabled", "the licensing service is disabled"),
    fault(
        "update-service-disabled",
        "Windows Update's service is disabled: sysprep never ends",
    ),
    fault(
        "search-running",
        "the search service is at work: sysprep breaks off half-way",
    ),
    fault(
        "cryptography-disabled",
        "the cryptographic services are disabled: sysprep breaks off half-way",
    ),
    fault(
        "media-sharing-running",
        "media sharing is at work: sysprep breaks off half-way",
    ),
    fault(
        "filtered-token",
        "the account has the filtered token of an administrator: sysprep ends at once",
    ),
    fault(
        "upgraded",
        "this Windows was upgraded in place: sysprep breaks off half-way",
    ),
    fault(
        "bcd-unreadable",
        "the boot configuration cannot be read: sysprep breaks off half-way",
    ),
    fault(
        "domain-joined",
        "the machine has joined a domain, which sysprep would leave in silence",
    ),
    fault(
        "audit-mode",
        "the machine was resealed from audit mode and never finished its Setup",
    ),
    fault("hang-update-service", "sysprep's part for Windows Update never ends"),
    fault("hang-cloud-agent", "the provider of another cloud's agent never ends"),
    fault(
        "sysprep-reseals-only",
        "sysprep ends well and writes its tag, and the machine is not generalized",
    ),
];

/// The first boot of a machine made of an image that was built here; the machine that builds it is not struck.
const CLONE: &[FaultInfo] = &[
    fault(
        "clone-asks",
        "the clone's Setup waits for a person at a page (=PAGE): WinRM never answers",
    ),
    fault(
        "clone-bad-answer-file",
        "the clone's Setup refuses the answer file and stops at a dialog (=KIND as for bad-answer-file)",
    ),
    fault(
        "clone-copy-profile",
        "an entry of the list of profiles loses its folder late: with CopyProfile the clone's specialize pass fails",
    ),
    fault(
        "clone-bcd",
        "the clone has no system partition: its provider for the boot configuration fails in specialize",
    ),
    fault(
        "clone-boot-loop",
        "the clone restarts again and again in specialize (=bugcheck: before Setup starts)",
    ),
    fault(
        "clone-powers-off",
        "the clone switches itself off in the middle of specialize",
    ),
    fault(
        "clone-slow-boot",
        "the clone's first boot takes so many minutes longer (12 without a number), and succeeds",
    ),
    fault(
        "clone-restarts-once",
        "the clone answers between specialize and OOBE, restarts once, and succeeds",
    ),
    fault("clone-no-password", "the clone never posts a password"),
    fault(
        "clone-sid-kept",
        "the clone has the machine SID of the machine that was captured",
    ),
    fault(
        "clone-name-kept",
        "the clone has the name of the machine that was captured",
    ),
    fault("clone-disk-kept", "the clone's drive C: does not grow"),
    fault(
        "clone-kms-fails",
        "the clone is not activated: no key management service answers",
    ),
];

const OTHER: &[FaultInfo] = &[
    fault(
        "idle-close",
        "a connection that was idle for two minutes is closed when it is used again",
    ),
    fault(
        "winrm-drops",
        "the network is gone for so many seconds while sysprep runs (12 without a number)",
    ),
    fault("auth-lost", "logins are refused once the machine is generalized"),
    fault("no-poweroff", "the generalized machine does not shut down"),
    fault(
        "surprise-reboot",
        "the machine restarts by itself four minutes after a boot",
    ),
    fault("slow-boot", "every boot works on updates for so many minutes first"),
    fault("early-winrm", "WinRM answers for ten seconds and vanishes again"),
    fault(
        "clock-step",
        "the boot time that the guest tells is off by so many seconds",
    ),
    fault("quota", "only so many shells a user"),
    fault("operations", "only so many operations a user"),
    fault("envelope", "MaxEnvelopeSizekb is this"),
    fault("no-host-process", "a command is refused with fault 1018"),
    fault("constrained-language", "PowerShell runs in ConstrainedLanguage mode"),
    fault("codepage", "log lines are in code page 949"),
    fault(
        "clixml-noise",
        "a progress block stands on standard error before everything",
    ),
    fault(
        "msi-busy",
        "Windows Installer is busy: each strike costs thirty seconds",
    ),
    fault("exit-code", "the installer (=FILE:N) ends with N"),
    fault("defender-slow", "every operation takes ten times as long"),
    fault(
        "stale-profile",
        "the list of profiles has an entry without a folder: with CopyProfile a clone's specialize pass fails",
    ),
    fault("store-updates", "this Windows has a store that updates apps by itself"),
    fault(
        "eval-expired",
        "the evaluation has run out: the machine powers off every hour",
    ),
    fault("disk-full", "there is no room for an upload"),
    fault("disk-full-midway", "the drive is full in the middle of an upload"),
    fault("transfer-damaged", "an upload does not arrive whole"),
    fault("raw-stdin-altered", "raw bytes on standard input are altered"),
    fault("runner-dies", "the resident runner dies when it is given a request"),
    fault("slow-powershell", "PowerShell takes so many seconds to start"),
    fault(
        "scheduled-task-denied",
        "a scheduled task cannot be registered (=HRESULT)",
    ),
    fault(
        "bad-answer-file",
        "Setup refuses the answer file (=malformed, duplicate, unknown-setting, too-long, password, product-key)",
    ),
    fault("kms-unreachable", "the licence is not activated at the first boot"),
    fault(
        "recovery-partition",
        "a recovery partition behind C: keeps it from growing",
    ),
    fault(
        "cloudbase-race",
        "Cloudbase-Init runs during OOBE and its password does not work until the next boot",
    ),
    fault(
        "cloudbase-winrm-listener",
        "Cloudbase-Init replaces the listener on 5986 by its own after user data",
    ),
    fault("user-data-ignored", "the image does not run user data"),
    fault("no-password-post", "no password is posted"),
    fault("update-service", "Windows Update cannot be reached (=HRESULT)"),
    fault("update-fails", "this update (=KB) cannot be installed"),
    fault("servicing-busy", "servicing works on for a minute after each boot"),
    fault(
        "reboot-refused",
        "shutdown.exe answers this code (1190 without a number)",
    ),
    fault(
        "reboot-answers",
        "the reboot request is answered before the machine goes down",
    ),
    fault("guest-offline", "the guest reaches no repository"),
    fault(
        "console-silent",
        "nothing comes out of the serial port: the console's log stays empty",
    ),
    fault(
        "strict-channel-bindings",
        "CbtHardeningLevel is Strict: logins over https without channel bindings are refused",
    ),
];
