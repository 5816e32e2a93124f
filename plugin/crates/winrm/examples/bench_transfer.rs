//! Measures uploads against the lab's WinRM endpoint: requests, wire bytes, rate with and without latency.
//!
//! Prints rows for `cargo xtask bench`: what, value, unit, goal, with tabs between. Packer's file upload needs 553
//! requests a MiB; its time is computed from the time of one small request measured in the same run.
#![expect(clippy::print_stdout, reason = "a benchmark prints its rows")]
#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the wall's clock")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine as _;
use reseal_machine::communicator::{Bytes, Silent};
use reseal_machine::{Clock, Communicator as _};
use reseal_winrm::{Address, Auth, AuthKind, Transport, WinRm, WinRmConfig};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

const MIB: usize = 1024 * 1024;
const PASSWORD: &str = "Passw0rd!-of-the-lab";
/// Requests a MiB of Packer's upload (winrmcp), counted on the wire.
const PACKER: f64 = 553.0;

/// The wall's clock.
struct Wall;

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for latency in [0, 10, 50] {
        upload(10, Duration::from_millis(latency)).await?;
    }
    upload(100, Duration::ZERO).await?;
    Ok(())
}

fn row(what: &str, value: f64, unit: &str, goal: &str) {
    println!("{what}\t{value:.3}\t{unit}\t{goal}");
}

/// Pushes `size` MiB and prints what it took.
async fn upload(size: usize, latency: Duration) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(Wall);
    let room = Room::new(RoomOptions {
        latency,
        ..RoomOptions::new(Arc::clone(&clock))
    });
    let guest = room.standing("Windows 2022 STD EN", "builder", PASSWORD)?;
    let auth = Auth {
        kind: AuthKind::Negotiate,
        username: "builder".into(),
        password: SecretString::from(PASSWORD),
    };
    let address = Address::new(guest.address().to_string(), 5985);
    let winrm = WinRm::new(WinRmConfig::new(address, Transport::Http, auth, clock, Arc::new(id)))?;
    winrm.probe().await?;
    let small = small_request(&winrm).await?;
    let before = winrm.stats();
    let begun = Instant::now();
    let blob = Bytes::new("bench.bin", noise(size * MIB));
    winrm
        .upload(&blob, r"C:\bench.bin", &Silent, &CancellationToken::new())
        .await?;
    let took = begun.elapsed().as_secs_f64();
    let after = winrm.stats();
    let mib = u32::try_from(size).map(f64::from)?;
    let wire = to_f64(after.bytes_out - before.bytes_out + after.bytes_in - before.bytes_in)?;
    let name = format!("push {size} MiB, NTLM sealed, +{} ms", latency.as_millis());
    row(&format!("{name}: rate"), mib / took, "MiB/s", "");
    if size == 10 {
        row(
            &format!("{name}: requests a MiB"),
            to_f64(after.requests - before.requests)? / mib,
            "",
            "<= 6.5",
        );
        row(
            &format!("{name}: wire bytes a byte"),
            wire / to_f64(u64::try_from(size * MIB)?)?,
            "",
            "<= 1.36",
        );
        let packer = PACKER * mib * small;
        let goal = if latency.as_millis() == 10 { ">= 100" } else { "" };
        row(
            &format!("{name}: faster than {PACKER} small requests a MiB"),
            packer / took,
            "x",
            goal,
        );
    }
    winrm.disconnect().await;
    Ok(())
}

/// Seconds of one small request: half of a probe, which takes two.
async fn small_request(winrm: &WinRm) -> Result<f64, Box<dyn Error>> {
    let before = winrm.stats().requests;
    let begun = Instant::now();
    for _ in 0..20 {
        winrm.probe().await?;
    }
    Ok(begun.elapsed().as_secs_f64() / to_f64(winrm.stats().requests - before)?)
}

fn to_f64(count: u64) -> Result<f64, Box<dyn Error>> {
    Ok(f64::from(u32::try_from(count)?))
}

/// Bytes that no compression helps with.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

fn id() -> uuid::Uuid {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    uuid::Builder::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed))).into_uuid()
}
