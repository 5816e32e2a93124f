//! The client against the lab's fake Windows, which knows our guest processes by name only.

use std::sync::Arc;

use reseal_lab::clock::JumpClock;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine as _;
use reseal_machine::communicator::{Bytes, Silent};
use reseal_machine::{Clock, Communicator as _};
use reseal_winrm::{AuthKind, Transport, Trust};
use tokio_util::sync::CancellationToken;

use crate::desk::{PASSWORD, USER, client};
use crate::transfers::noise;

/// Files there and back, a probe, a command: over both transports, whatever is wrong with the guest's pipes.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_visit() {
    for fault in ["", "raw-stdin-altered", "clixml-noise"] {
        let clock: Arc<dyn Clock> = Arc::new(JumpClock::new("2026-11-23T10:00:00Z".parse().unwrap()));
        let room = Room::new(RoomOptions::new(Arc::clone(&clock)));
        if !fault.is_empty() {
            room.faults().arm(fault);
        }
        let machine = room.standing("Windows Server 2022", USER, PASSWORD).unwrap();
        for (port, transport) in [
            (5985, Transport::Http),
            (5986, Transport::Https { trust: Trust::Insecure }),
        ] {
            let address = (machine.address(), port).into();
            let winrm = client(address, transport, AuthKind::Negotiate, |config| {
                config.clock = Arc::clone(&clock);
            });
            let cancel = CancellationToken::new();
            let exit = winrm.run("hostname", &Silent, &cancel).await.unwrap();
            assert_eq!(exit.code, 0, "{fault}");
            assert!(winrm.probe().await.unwrap().boot_id.is_some());
            let to = format!(r"C:\Build\{port}.bin");
            let bytes = noise(400_000);
            let blob = Bytes::new("local", bytes.clone());
            assert_eq!(
                winrm.upload(&blob, &to, &Silent, &cancel).await.unwrap().sent,
                400_000,
                "{fault}"
            );
            assert!(winrm.upload(&blob, &to, &Silent, &cancel).await.unwrap().unchanged);
            let mut back = Vec::new();
            winrm.download(&to, &mut back, &Silent, &cancel).await.unwrap();
            assert!(back == bytes, "{fault}");
            winrm.disconnect().await;
        }
        assert_eq!(machine.open_shells(), 0);
        assert_eq!(room.violations(), Vec::<String>::new());
    }
}
