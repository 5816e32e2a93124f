//! The operations around the first boot, against healthy and broken states: Cloudbase-Init's files, the progress of a
//! clone, app packages.

use reseal_guest::Script;
use reseal_guest::promises::{Promise, outlook};
use reseal_guest::system::{
    AppxBlockers, CloudbasePrepare, CloudbasePrepared, FirstBoot, FirstBootState, Query, VerifyFacts,
};
use serde_json::{Value, json};

use super::{Batch, Platform, winps};

/// What Windows would answer; the operations run in a scope below this one.
const WINDOWS: &str = r#"param([string]$InputJson)
$state = ConvertFrom-Json -InputObject $InputJson
$env:SystemRoot = $state.folder + '/Windows'
$env:ProgramFiles = $state.folder + '/Program Files'
$env:SystemDrive = $state.folder
$env:COMPUTERNAME = 'CLONE'
$global:PretendedState = $state
function global:Get-CimInstance {
    param([string]$ClassName, [string]$Filter, $Namespace)
    switch ($ClassName) {
        'Win32_Service' {
            if ($null -ne $global:PretendedState.service) {
                New-Object PSObject -Property @{ Name = 'cloudbase-init'; StartMode = $global:PretendedState.service; State = 'Stopped'; PathName = '"C:\bin\OpenStackService.exe" cloudbase-init' }
            }
        }
        'SoftwareLicensingProduct' { New-Object PSObject -Property @{ LicenseStatus = 1; Description = 'VOLUME_KMSCLIENT channel'; ProductKeyChannel = 'Volume:GVLK'; GracePeriodRemaining = 100 } }
        'SoftwareLicensingService' { New-Object PSObject -Property @{ KeyManagementServiceMachine = 'kms.example'; RemainingWindowsReArmCount = 1000 } }
        'Win32_OperatingSystem' { New-Object PSObject -Property @{ LastBootUpTime = [DateTime]::UtcNow.AddMinutes(-5) } }
        'Win32_LogicalDisk' { New-Object PSObject -Property @{ Size = 64000000000 } }
    }
}
function global:Set-Service { param([string]$Name, [string]$StartupType) $global:PretendedState.service = $StartupType }
function global:Get-Partition {
    param($DriveLetter, $DiskNumber)
    if ($DriveLetter) { return New-Object PSObject -Property @{ DiskNumber = 0; Offset = 100; Size = 1000; Type = 'Basic' } }
    New-Object PSObject -Property @{ DiskNumber = 0; Offset = 0; Size = 10; Type = 'System' }
    New-Object PSObject -Property @{ DiskNumber = 0; Offset = 100; Size = 1000; Type = 'Basic' }
    foreach ($type in $global:PretendedState.behind) { New-Object PSObject -Property @{ DiskNumber = 0; Offset = 2000; Size = 50; Type = $type } }
}
function global:Get-AppxProvisionedPackage { param([switch]$Online) New-Object PSObject -Property @{ PackageName = 'Good.App_1.0.0.0_neutral_~_8wekyb3d8bbwe' } }
function global:Get-AppxPackage {
    param([switch]$AllUsers)
    foreach ($name in $global:PretendedState.apps) {
        $user = New-Object PSObject -Property @{ InstallState = 'Installed'; UserSecurityId = (New-Object PSObject -Property @{ Sid = 'S-1-5-21-1-2-3-500' }) }
        New-Object PSObject -Property @{ Name = $name; Version = '1.0.0.0'; PackageFullName = $name + '_1.0.0.0_x64__8wekyb3d8bbwe'; PackageFamilyName = $name + '_8wekyb3d8bbwe'; IsFramework = $false; IsResourcePackage = $false; NonRemovable = $false; SignatureKind = 'Store'; PackageUserInformation = @($user) }
    }
}
"#;

const CONF: &str = "# first\r\n[DEFAULT]\r\nusername=Administrator\r\nactivate_windows = false\r\nmaas_oauth_token_secret=very-secret\r\nplugins=a.SetHostNamePlugin,\r\n    b.SetUserPasswordPlugin\r\n[other]\r\nusername=nobody\r\n";

fn windows(batch: &mut Batch, case: &str, change: &Value) {
    let mut state = json!({"folder": batch.path(""), "service": "Auto", "behind": [], "apps": []});
    for (key, value) in change.as_object().unwrap() {
        state[key] = value.clone();
    }
    let script = Script {
        name: "windows",
        text: WINDOWS,
    };
    batch.add(case, script, state);
}

fn add<Q: Query>(batch: &mut Batch, case: &str, query: &Q) {
    batch.add(case, Q::SCRIPT, query.input());
}

fn write(batch: &Batch, path: &str, text: &str) {
    let path = batch.folder.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const CONF_PATH: &str = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf";
const LOG_PATH: &str = "Program Files/Cloudbase Solutions/Cloudbase-Init/log/cloudbase-init.log";

fn prepare(change: bool, set: &[(&str, &str)]) -> CloudbasePrepare {
    CloudbasePrepare {
        change,
        set: set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..CloudbasePrepare::default()
    }
}

#[test]
fn cloudbase_init_is_read_and_made_ready() {
    let Some(winps) = winps("cloudbase_init_is_read_and_made_ready") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    write(&batch, CONF_PATH, CONF);
    windows(&mut batch, "w1", &json!({"behind": ["Recovery"]}));
    add(&mut batch, "look", &prepare(false, &[("kms_host", "never.example")]));
    windows(&mut batch, "w2", &json!({}));
    let set = [
        ("activate_windows", "true"),
        ("kms_host", "kms.example"),
        ("plugins", "a.B"),
    ];
    add(&mut batch, "change", &prepare(true, &set));
    add(&mut batch, "again", &prepare(true, &set));
    windows(&mut batch, "w3", &json!({"service": null}));
    add(&mut batch, "none", &prepare(true, &[]));
    let said = batch.run(&winps);

    let look = CloudbasePrepare::read(said["look"].answer()).unwrap();
    assert_eq!(
        (look.present, look.start_mode.as_deref(), look.starts_after_setup),
        (true, Some("Auto"), false)
    );
    assert_eq!(
        look.config.values["plugins"],
        "a.SetHostNamePlugin,b.SetUserPasswordPlugin"
    );
    assert_eq!(
        look.config.values["username"], "Administrator",
        "the other section is not ours"
    );
    assert!(!format!("{said:?}").contains("very-secret"), "keys stay in the guest");
    assert!(!look.unattend_config.found);
    assert_eq!(look.behind.as_ref().map(Vec::len), Some(1));
    let bad: Vec<Promise> = outlook(&look, false)
        .into_iter()
        .filter(|one| !one.is_good())
        .map(|one| one.promise)
        .collect();
    assert_eq!(bad, [Promise::Drive]);

    let change = CloudbasePrepare::read(said["change"].answer()).unwrap();
    assert_eq!(
        (change.setup_complete.as_str(), change.starts_after_setup),
        ("created", true)
    );
    assert_eq!(
        (change.start_mode_before.as_deref(), change.start_mode.as_deref()),
        (Some("Auto"), Some("Manual"))
    );
    assert_eq!(change.set.len(), 3, "{change:?}");
    let again = CloudbasePrepare::read(said["again"].answer()).unwrap();
    assert_eq!((again.setup_complete.as_str(), again.set.len()), ("kept", 0));
    let text = std::fs::read_to_string(batch.folder.path().join(CONF_PATH)).unwrap();
    assert_eq!(
        text,
        "# first\r\n[DEFAULT]\r\nkms_host=kms.example\r\nusername=Administrator\r\nactivate_windows=true\r\n\
         maas_oauth_token_secret=very-secret\r\nplugins=a.B\r\n[other]\r\nusername=nobody\r\n"
    );
    let none = CloudbasePrepare::read(said["none"].answer()).unwrap();
    assert_eq!(
        (none.present, none.setup_complete.as_str(), none.start_mode),
        (false, "none", None)
    );
}

#[test]
fn an_own_setup_complete_is_kept_or_extended() {
    let Some(winps) = winps("an_own_setup_complete_is_kept_or_extended") else {
        return;
    };
    let cases = [
        (
            "sc config cloudbase-init start= auto && net start cloudbase-init\r\n",
            "kept",
        ),
        ("echo hello\r\n", "extended"),
        (
            "rem sc config cloudbase-init start= auto\r\nnet stop cloudbase-init\r\n",
            "extended",
        ),
        (
            "@call C:\\Windows\\System32\\sc.exe config \"cloudbase-init\" start= delayed-auto\r\nsc start cloudbase-init\r\n",
            "kept",
        ),
    ];
    for (text, wanted) in cases {
        let mut batch = Batch::new(Platform::Linux);
        let path = "Windows/Setup/Scripts/SetupComplete.cmd";
        write(&batch, path, text);
        windows(&mut batch, "w", &json!({}));
        add(&mut batch, "change", &prepare(true, &[]));
        let said = batch.run(&winps);
        let change: CloudbasePrepared = CloudbasePrepare::read(said["change"].answer()).unwrap();
        assert_eq!(
            (change.setup_complete.as_str(), change.starts_after_setup),
            (wanted, true),
            "{text}"
        );
        assert!(
            std::fs::read_to_string(batch.folder.path().join(path))
                .unwrap()
                .starts_with(text)
        );
    }
}

#[test]
fn how_far_a_clone_has_come() {
    let Some(winps) = winps("how_far_a_clone_has_come") else {
        return;
    };
    let begin = "x INFO Executing plugins for stage 'MAIN':\r\n";
    let end = "x INFO Plugins execution done\r\n";
    let password = "x INFO Password succesfully updated for user Administrator\r\n";
    let cases = [
        (String::new(), (false, false)),
        ([begin, password, end].concat(), (true, true)),
        ([begin, password, end, begin].concat(), (false, false)),
        ([begin, password, end, begin, end].concat(), (true, false)),
    ];
    for (log, wanted) in cases {
        let mut batch = Batch::new(Platform::Linux);
        write(&batch, LOG_PATH, &log);
        write(&batch, "Windows/Panther/setuperr.log", &log);
        windows(&mut batch, "w", &json!({}));
        add(&mut batch, "state", &FirstBoot::default());
        add(&mut batch, "facts", &VerifyFacts::default());
        let said = batch.run(&winps);
        let state: FirstBootState = FirstBoot::read(said["state"].answer()).unwrap();
        let found = (state.cloudbase.plugins_done, state.cloudbase.password_set);
        assert_eq!(found, wanted, "{log}");
        assert_eq!(state.setup_errors.len(), usize::from(!log.is_empty()), "{state:?}");
        assert!(state.boot_utc.is_some_and(|boot| boot < state.now_utc));
        let facts = VerifyFacts::read(said["facts"].answer()).unwrap();
        assert_eq!((facts.cloudbase.plugins_done, facts.cloudbase.password_set), wanted);
        assert_eq!(
            facts.license.map(|license| (license.status, license.kms_host)),
            Some((1, "kms.example".to_owned()))
        );
    }
}

#[test]
fn app_packages_of_one_user() {
    let Some(winps) = winps("app_packages_of_one_user") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    windows(&mut batch, "w1", &json!({"apps": ["Good.App"]}));
    add(&mut batch, "healthy", &AppxBlockers::default());
    windows(&mut batch, "w2", &json!({"apps": ["Good.App", "Bad.App"]}));
    add(&mut batch, "broken", &AppxBlockers::default());
    let said = batch.run(&winps);
    let healthy = AppxBlockers::read(said["healthy"].answer()).unwrap();
    assert!(healthy.available && healthy.blockers.is_empty(), "{healthy:?}");
    let broken = AppxBlockers::read(said["broken"].answer()).unwrap();
    let names: Vec<&str> = broken.blockers.iter().map(|one| one.full_name.as_str()).collect();
    assert_eq!(names, ["Bad.App_1.0.0.0_x64__8wekyb3d8bbwe"]);
    assert_eq!(broken.blockers[0].users, ["S-1-5-21-1-2-3-500"]);
}
