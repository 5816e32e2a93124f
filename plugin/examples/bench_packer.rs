//! Measures what Packer's `file` provisioner costs over our communicator: requests for 10 MiB.
//!
//! Prints rows for `cargo xtask bench`: what, value, unit, goal, with tabs between. Packer's own upload needs 553 requests a
//! MiB, counted on the wire.
#![expect(clippy::print_stdout, reason = "a benchmark prints its rows")]

use std::error::Error;
use std::io::Cursor;
use std::sync::Arc;

use reseal::rim::clock::SystemClock;
use reseal::rim::random;
use reseal::rim::spool::Disk;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine as _;
use reseal_machine::Communicator as _;
use reseal_packer::{Communicator as _, Guest};
use reseal_winrm::{Address, Auth, AuthKind, Transport, WinRm, WinRmConfig};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

const MIB: u32 = 10;
const PASSWORD: &str = "Passw0rd!-of-the-lab";
/// Requests a MiB of Packer's own upload.
const PACKER: u32 = 553;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock::new(1));
    let room = Room::new(RoomOptions::new(Arc::<SystemClock>::clone(&clock)));
    let machine = room.standing("Windows 2022 STD EN", "builder", PASSWORD)?;
    let auth = Auth {
        kind: AuthKind::Negotiate,
        username: "builder".into(),
        password: SecretString::from(PASSWORD),
    };
    let address = Address::new(machine.address().to_string(), 5985);
    let config = WinRmConfig::new(address, Transport::Http, auth, clock, Arc::new(random::id));
    let winrm = Arc::new(WinRm::new(config)?);
    winrm.probe().await?;
    let before = winrm.stats().requests;
    let guest = Guest::new(Arc::<WinRm>::clone(&winrm), Arc::new(Disk::system()));
    let content: Vec<u8> = (0..MIB * 256 * 1024)
        .flat_map(|number| number.wrapping_mul(0x9E37_79B1).to_le_bytes())
        .collect();
    let cancel = CancellationToken::new();
    let sent = guest.upload("C:/Build/bench.bin", Box::new(Cursor::new(content)), None, &cancel);
    sent.await.map_err(|error| error.to_string())?;
    let requests = u32::try_from(winrm.stats().requests - before)?;
    let fewer = f64::from(PACKER * MIB) / f64::from(requests.max(1));
    println!("{MIB} MiB by Packer's file provisioner: requests\t{requests}\t\t");
    println!("{MIB} MiB by Packer's file provisioner: fewer requests than Packer's own\t{fewer:.1}\tx\t>= 50");
    winrm.disconnect().await;
    Ok(())
}
