//! Lives of machines: first boot with user data, work, sysprep, capture, clones.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use reseal_lab::clock::JumpClock;
use reseal_lab::guest::inspect::Inspect;
use reseal_lab::guest::provider::CLOUDBASE_ANSWER;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::{BootRequest, Disk, Machine, MachineRoom, Power};
use reseal_machine::Clock;
use serde_json::{Value, json};

use crate::support::{Raw, Runner};

pub(crate) const ACCOUNT: &str = "reseal-build";
pub(crate) const PASSWORD: &str = "Aa7-canaryCANARY42";
pub(crate) const PUSHED: &str = "C:\\Windows\\System32\\Sysprep\\reseal-unattend.xml";

/// A lab of one room.
pub(crate) struct World {
    pub(crate) clock: Arc<JumpClock>,
    pub(crate) room: Room,
    key: PrivateDecryptingKey,
}

/// User data as the bootstrap carries them, made without the client's code.
pub(crate) fn user_data() -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(vec!["reseal-test".to_owned()]).unwrap();
    let key = p12_keystore::PrivateKey::from_der(&made.signing_key.serialize_der()).unwrap();
    let certificate = p12_keystore::Certificate::from_der(made.cert.der()).unwrap();
    let chain = p12_keystore::PrivateKeyChain::new(vec![1_u8], key, [certificate]);
    let mut store = p12_keystore::KeyStore::new();
    store.add_entry("reseal", p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
    let pfx = store
        .writer("pfx-password")
        .encryption_algorithm(p12_keystore::EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .mac_algorithm(p12_keystore::MacAlgorithm::HmacSha1)
        .write()
        .unwrap();
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, made.cert.der());
    let values = json!({
        "run": "r1", "account": ACCOUNT, "password": PASSWORD, "pfx": BASE64.encode(pfx), "pfx_password": "pfx-password",
        "thumbprint": hex::encode_upper(sha1), "port": 5986, "remote_addresses": [], "undo_key": "HKLM:\\SOFTWARE\\Reseal",
        "prefix": "reseal", "home": "Reseal", "dead_man_hours": 12,
    });
    format!("#ps1_sysnative\n# {}\n'more'\n", BASE64.encode(values.to_string())).into_bytes()
}

impl World {
    pub(crate) fn new(faults: &[&str]) -> Self {
        let clock = Arc::new(JumpClock::new("2026-05-06T00:00:00Z".parse().unwrap()));
        let shared: Arc<dyn Clock> = Arc::<JumpClock>::clone(&clock);
        let room = Room::new(RoomOptions::new(shared));
        for fault in faults {
            room.faults().arm(fault);
        }
        Self {
            clock,
            room,
            key: PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap(),
        }
    }

    fn public_key(&self) -> String {
        use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der().unwrap();
        // 24 bytes of algorithm and lengths stand before the two numbers of a 2048-bit key.
        let der: &[u8] = der.as_ref();
        let numbers = &der[24..];
        let modulus = &numbers[8..8 + 257];
        let part = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let blob = [part(b"ssh-rsa"), part(&[1, 0, 1]), part(modulus)].concat();
        format!("ssh-rsa {} test", BASE64.encode(blob))
    }

    pub(crate) fn boot(&self, name: &str, disk: Disk, user_data: Option<Vec<u8>>) -> Arc<dyn Machine> {
        self.boot_on(60, name, disk, user_data)
    }

    /// A machine whose root volume has so many gigabytes.
    pub(crate) fn boot_on(&self, disk_gb: u32, name: &str, disk: Disk, user_data: Option<Vec<u8>>) -> Arc<dyn Machine> {
        self.room.boot(BootRequest {
            server_id: format!("id-of-{name}"),
            name: name.to_owned(),
            disk,
            disk_gb,
            ram_mb: 4096,
            user_data,
            public_keys: vec![self.public_key()],
            open_ports: vec![5985, 5986],
        })
    }

    /// A provider's Windows that has booted with our user data.
    pub(crate) async fn build_machine(&self, image: &str) -> Arc<dyn Machine> {
        let machine = self.boot("builder", self.room.provider_disk(image), Some(user_data()));
        self.wait(300).await;
        machine
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    pub(crate) async fn runner(&self, machine: &Arc<dyn Machine>) -> Runner {
        Runner::start(machine.address(), ACCOUNT, PASSWORD).await
    }

    pub(crate) fn decrypt(&self, block: &str) -> String {
        let key = Pkcs1PrivateDecryptingKey::new(self.key.clone()).unwrap();
        let mut plain = vec![0; key.min_output_size()];
        let plain = key.decrypt(&BASE64.decode(block).unwrap(), &mut plain).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    }
}

pub(crate) fn settings() -> Value {
    json!({"run": "r1", "answer_file": PUSHED, "timeout_seconds": 1800, "verify_seconds": 60, "linger_seconds": 5, "delete": ["C:\\Windows\\Temp\\reseal-r1"],
        "build_account": ACCOUNT, "undo_key": "HKLM:\\SOFTWARE\\Reseal", "shutdown": true, "mode_vm": false})
}

/// Pushes an answer file made of the guest's own and starts sysprep.
pub(crate) async fn seal(runner: &mut Runner, change: impl Fn(String) -> String) {
    let found = runner
        .good(
            "unattend_find",
            &json!({"candidates": ["C:\\nothing.xml", CLOUDBASE_ANSWER]}),
        )
        .await;
    let text = String::from_utf8(BASE64.decode(found["data"].as_str().unwrap()).unwrap()).unwrap();
    let text = change(text);
    let sha256 = reseal_lab::guest::files::hash(text.as_bytes());
    let push = json!({"path": PUSHED, "data": BASE64.encode(&text), "sha256": sha256});
    runner.good("unattend_push", &push).await;
    runner
        .good(
            "cloudbase_prepare",
            &json!({"service": "cloudbase-init", "change": true, "set": {}}),
        )
        .await;
    let start = json!({"task": "reseal-r1-sysprep", "work": "C:\\Windows\\Temp\\reseal-r1\\sysprep", "wrapper": "x", "settings": settings()});
    assert_eq!(runner.good("sysprep_start", &start).await["started"], true);
}

pub(crate) fn poll() -> Value {
    json!({"task": "reseal-r1-sysprep", "work": "C:\\Windows\\Temp\\reseal-r1\\sysprep", "act_offset": 0, "err_offset": 0, "seen": false})
}

#[tokio::test]
async fn a_first_boot_opens_the_door_late() {
    let world = World::new(&[]);
    let disk = world.room.provider_disk("Windows 2022 STD(2026.03.10.) EN");
    let machine = world.boot("builder", disk, Some(user_data()));
    assert_eq!(machine.power(), Power::On);
    let mut early = Raw::connect(machine.address()).await;
    assert!(early.http("", b"").await.is_none(), "nothing answers at first");
    world.wait(142).await;
    let mut unavailable = Raw::connect(machine.address()).await;
    assert_eq!(unavailable.http("", b"").await.unwrap().status, 503);
    world.wait(10).await;
    let refused = Raw::login(machine.address(), ACCOUNT, PASSWORD).await.err().unwrap();
    assert_eq!(refused.status, 401, "WinRM is up before user data have run");
    assert_eq!(machine.posted_password(), None);
    world.wait(60).await;
    Raw::login(machine.address(), ACCOUNT, PASSWORD).await.unwrap();
    let password = world.decrypt(&machine.posted_password().unwrap());
    Raw::login(machine.address(), "Administrator", &password).await.unwrap();
    let inspect = world.room.machines().remove(0);
    assert_eq!(inspect.violations, Vec::<String>::new());
    assert_eq!(inspect.computer_name, "builder");
    assert_eq!(inspect.image_state, "IMAGE_STATE_COMPLETE");
    assert_eq!(inspect.grep(PASSWORD), Vec::<String>::new());
}

#[tokio::test]
async fn a_reboot_drops_the_connection_and_moves_the_boot_time() {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    let before = runner.good("probe", &json!({})).await;
    assert!(
        runner
            .run("reboot_request", &json!({"reason": "test", "delay_seconds": 2}))
            .await
            .is_none()
    );
    let mut down = Raw::connect(machine.address()).await;
    assert!(down.http("", b"").await.is_none());
    world.wait(120).await;
    let mut runner = world.runner(&machine).await;
    let after = runner.good("probe", &json!({})).await;
    assert_ne!(before["boot_time"], after["boot_time"]);
    assert_eq!(
        before["boot_id"].as_u64().unwrap() + 1,
        after["boot_id"].as_u64().unwrap()
    );
}

/// Installs a package in a task of its own.
async fn install_agent(world: &World, runner: &mut Runner) {
    let package = b"reseal-lab-package\n{\"product\":\"Example Agent\",\"version\":\"4.2.1\",\"publisher\":\"CN=Example Corp\",\"reboot\":false}";
    runner.put("C:\\Windows\\Temp\\reseal-r1\\agent.msi", package).await;
    let install = json!({"task": "reseal-r1-1", "work": "C:\\Windows\\Temp\\reseal-r1\\1", "op": "install_msi", "script": "x",
        "timeout_seconds": 600, "run_as": "user", "input": {
            "work": "C:\\Windows\\Temp\\reseal-r1\\1", "timeout_seconds": 600, "busy_seconds": 60,
            "msi": {"path": "C:\\Windows\\Temp\\reseal-r1\\agent.msi", "sha256": reseal_lab::guest::files::hash(package), "publisher": "CN=Example Corp", "size": package.len()},
            "transforms": [], "patches": [], "properties": {}, "features": [], "arguments": [],
            "codes": {"success": [0, 3010, 1641], "reboot": [3010, 1641], "already": [1638], "busy": [1618]},
            "detect": {"kind": "product", "product": "Example*", "version": [{"op": ">=", "version": "4.2"}]}}});
    assert_eq!(runner.good("task_start", &install).await["started"], true);
    let ask = json!({"task": "reseal-r1-1", "work": "C:\\Windows\\Temp\\reseal-r1\\1", "offset": 0});
    assert_eq!(runner.good("task_poll", &ask).await["state"], "running");
    world.wait(30).await;
    let done = runner.good("task_poll", &ask).await;
    assert_eq!(
        (&done["state"], &done["result"]["result"]["changed"]),
        (&json!("done"), &json!(true)),
        "{done}"
    );
    assert!(done["log"].as_str().unwrap().contains("Example Agent 4.2.1 done"));
    runner
        .good(
            "task_remove",
            &json!({"task": "reseal-r1-1", "work": "C:\\Windows\\Temp\\reseal-r1\\1"}),
        )
        .await;
}

#[tokio::test]
async fn from_a_build_to_a_clone() {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    install_agent(&world, &mut runner).await;
    seal(&mut runner, |text| {
        text.replace("<OOBE>", "<TimeZone>Korea Standard Time</TimeZone><OOBE>")
    })
    .await;
    world.wait(20).await;
    let polled = runner.good("sysprep_poll", &poll()).await;
    assert_eq!(polled["status"]["phase"], "generalizing", "{polled}");
    assert!(
        polled["act"]["text"]
            .as_str()
            .unwrap()
            .contains("Beginning of a new sysprep run")
    );
    world.wait(20).await;
    assert!(
        runner.run("sysprep_poll", &poll()).await.is_none(),
        "generalizing takes the network down"
    );
    world.wait(120).await;
    assert_eq!(machine.power(), Power::Off);

    let disk = machine.disk();
    let sealed = Inspect::of_disk(&disk).unwrap();
    assert_eq!(
        (sealed.image_state.as_str(), sealed.generalization_state),
        ("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", 4)
    );
    assert!(!sealed.accounts.contains(&ACCOUNT.to_owned()) && sealed.listeners == ["http"]);
    assert!(
        sealed.files.iter().all(|path| !path.to_lowercase().contains("reseal")),
        "{:?}",
        sealed.files
    );
    assert_eq!(sealed.products, ["Example Agent 4.2.1"]);
    let builder = world.room.machines().remove(0);
    assert_eq!(builder.violations, Vec::<String>::new());
    machine.destroy();

    let clone = world.boot("clone-of-it", disk, None);
    world.wait(300).await;
    let password = world.decrypt(&clone.posted_password().unwrap());
    let mut runner = Runner::start(clone.address(), "Administrator", &password).await;
    let facts = runner.good("verify_facts", &json!({})).await;
    assert_ne!(facts["machine_sid"], builder.machine_sid.as_str());
    assert_eq!(
        (&facts["computer_name"], &facts["time_zone"]),
        (&json!("clone-of-it"), &json!("Korea Standard Time"))
    );
    assert_eq!(
        (&facts["license"]["status"], &facts["rearm_count"], &facts["traces"]),
        (&json!(1), &json!(1000), &json!([]))
    );
    assert_eq!(facts["cloudbase"]["plugins_done"], true);
}

#[tokio::test]
async fn a_bad_answer_file_shows_only_on_the_clone() {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    seal(&mut runner, |text| {
        text.replace("<OOBE>", "<TimeZone>Asia/Seoul</TimeZone><OOBE>")
    })
    .await;
    world.wait(200).await;
    assert_eq!(machine.power(), Power::Off);
    let clone = world.boot("clone", machine.disk(), None);
    world.wait(3600).await;
    let dialog = world.room.machines().remove(1).stuck.unwrap();
    assert!(
        dialog.contains("for pass [oobeSystem]. The answer file is invalid."),
        "{dialog}"
    );
    assert_eq!(clone.posted_password(), None);
    let mut raw = Raw::connect(clone.address()).await;
    assert!(raw.http("", b"").await.is_none());
}

#[tokio::test]
async fn a_service_on_demand_without_its_script_never_posts_a_password() {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    let gone = json!({"path": "C:\\Windows\\Setup\\Scripts\\SetupComplete.cmd", "state": "absent", "content": null, "encoding": "utf8", "payload": null});
    seal(&mut runner, |text| text).await;
    runner.good("file", &gone).await;
    world.wait(200).await;
    let clone = world.boot("clone", machine.disk(), None);
    world.wait(3600).await;
    assert_eq!((clone.posted_password(), clone.power()), (None, Power::On));
}

#[tokio::test]
async fn two_hundred_guests_live_side_by_side() {
    let world = World::new(&[]);
    let disk = world.room.provider_disk("Windows 2022");
    let machines: Vec<_> = (0..200)
        .map(|n| world.boot(&format!("m{n}"), disk.clone(), None))
        .collect();
    world.wait(300).await;
    assert!(machines.iter().all(|machine| machine.posted_password().is_some()));
    for machine in machines {
        machine.destroy();
    }
}

#[tokio::test]
async fn a_disk_that_is_no_windows_does_not_start() {
    let world = World::new(&[]);
    let machine = world.boot("blank", world.room.blank_disk(), Some(user_data()));
    world.wait(3600).await;
    assert!(machine.console().contains("No bootable option or device was found"));
    assert_eq!((machine.power(), machine.posted_password()), (Power::On, None));
    let mut raw = Raw::connect(machine.address()).await;
    assert!(raw.http("", b"").await.is_none());
}
