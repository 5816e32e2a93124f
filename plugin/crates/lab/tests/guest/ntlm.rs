//! The NTLM server against the worked example of MS-NLMP section 4.2.4, and against garbage.

use proptest::prelude::*;
use reseal_lab::guest::answer;
use reseal_lab::guest::package::Package;
use reseal_lab::winrm::ntlm::keys::{Way, hmac_md5, nt_hash, ntowf_v2};
use reseal_lab::winrm::ntlm::message::{Authenticate, NtlmV2Response, decode_av_pairs, decode_negotiate};
use reseal_lab::winrm::ntlm::rc4::Rc4;
use reseal_lab::winrm::ntlm::{Acceptor, NtlmError, Session};
use reseal_lab::winrm::{multipart, soap, spnego};

const EXPORTED: [u8; 16] = [0x55; 16];

fn target_info() -> Vec<u8> {
    hex::decode("02000c0044006f006d00610069006e0001000c00530065007200760065007200000000000000".replace(' ', ""))
        .unwrap()
}

#[test]
fn keys_of_the_worked_example() {
    assert_eq!(hex::encode(nt_hash("Password")), "a4f49c406510bdcab6824ee7c30fd852");
    let key = ntowf_v2(&nt_hash("Password"), "User", "Domain");
    assert_eq!(hex::encode(key), "0c868a403bfd7a93a3001ef22ef02e3f");
    let info: Vec<u8> = target_info().into_iter().take(36).collect();
    let temp = [
        &[1, 1, 0, 0, 0, 0, 0, 0][..],
        &[0; 8],
        &[0xaa; 8],
        &[0; 4],
        &info,
        &[0; 4],
    ]
    .concat();
    let proof = hmac_md5(&key, &[&hex::decode("0123456789abcdef").unwrap(), &temp]);
    assert_eq!(hex::encode(proof), "68cd0ab851e51c96aabc927bebef6a1c");
    let session = hmac_md5(&key, &[&proof]);
    assert_eq!(hex::encode(session), "8de40ccadbc14a82f15cb0ad0de95ca3");
    assert_eq!(
        hex::encode(Rc4::new(&session).applied(&EXPORTED)),
        "c5dad2544fc9799094ce1ce90bc9d03e"
    );
}

#[test]
fn sealing_of_the_worked_example() {
    assert_eq!(
        hex::encode(Way::ToServer.seal_key(&EXPORTED)),
        "59f600973cc4960a25480a7c196e4c58"
    );
    assert_eq!(
        hex::encode(Way::ToServer.sign_key(&EXPORTED)),
        "4788dc861b4782f35d43fd98fe1a2d39"
    );
    let sealed = hex::decode("54e50165bf1936dc996020c1811b0f06fb5f").unwrap();
    let signature = hex::decode("010000007fb38ec5c55d497600000000").unwrap();
    let mut session = Session::new(&EXPORTED, true);
    let plain = session.unseal(&signature, &sealed).unwrap();
    assert_eq!(
        reseal_lab::winrm::bytes::from_utf16le(&plain).as_deref(),
        Some("Plaintext")
    );
    assert_eq!(
        session.unseal(&signature, &sealed),
        None,
        "a message cannot be played again"
    );
}

#[test]
fn after_spnegos_signatures_the_key_stream_begins_again_and_the_numbers_go_on() {
    let sign = |number: u32, rc4: &mut Rc4, plain: &[u8]| {
        let mac = hmac_md5(&Way::ToServer.sign_key(&EXPORTED), &[&number.to_le_bytes(), plain]);
        [&1_u32.to_le_bytes()[..], &rc4.applied(&mac[..8]), &number.to_le_bytes()].concat()
    };
    let fresh = || Rc4::new(&Way::ToServer.seal_key(&EXPORTED));
    let mut session = Session::new(&EXPORTED, true);
    assert!(session.verify(&sign(0, &mut fresh(), b"mechanisms"), b"mechanisms"));
    session.restart();
    let mut rc4 = fresh();
    let sealed = rc4.applied(b"message");
    let signature = sign(1, &mut rc4, b"message");
    assert_eq!(session.unseal(&signature, &sealed).as_deref(), Some(&b"message"[..]));
}

fn log_in(password: &str, spoil: impl Fn(&mut Vec<u8>)) -> Result<(), NtlmError> {
    let acceptor = Acceptor::begin(&crate::support::negotiate(), "GUEST", [7; 8], 133_000_000_000_000_000).unwrap();
    let (mut message, _) = crate::support::authenticate(acceptor.challenge(), "builder", password);
    spoil(&mut message);
    acceptor
        .finish(&message, |_, _| Some(nt_hash("Passw0rd!")), None)
        .map(|_| ())
}

#[test]
fn a_login_needs_password_and_mic() {
    assert_eq!(log_in("Passw0rd!", |_| {}), Ok(()));
    assert_eq!(log_in("password", |_| {}), Err(NtlmError::Refused));
    assert_eq!(log_in("Passw0rd!", |message| message[75] ^= 1), Err(NtlmError::Mic));
    assert_eq!(
        log_in("Passw0rd!", |message| message.truncate(60)),
        Err(NtlmError::Malformed)
    );
}

#[test]
fn weak_clients_are_sent_away() {
    let mut first = crate::support::negotiate();
    first[14] = 0;
    assert_eq!(Acceptor::begin(&first, "GUEST", [7; 8], 0).err(), Some(NtlmError::Weak));
}

proptest! {
    #[test]
    fn decoders_are_total(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_negotiate(&bytes);
        let _ = Authenticate::decode(&bytes);
        let _ = NtlmV2Response::decode(&bytes);
        let _ = decode_av_pairs(&bytes);
        let _ = spnego::decode(&bytes);
        let _ = multipart::decode(&bytes);
        let _ = soap::decode(&String::from_utf8_lossy(&bytes));
        let _ = Package::read(&[&b"reseal-lab-package\n"[..], &bytes].concat());
        let _ = answer::check(&bytes, 20_348);
    }

    #[test]
    fn a_damaged_answer_file_is_good_or_refused(at in 0_usize..2000, byte in any::<u8>()) {
        let mut file = include_bytes!("../../src/guest/data/cloudbase-unattend.xml").to_vec();
        let at = at % file.len();
        file[at] = byte;
        let _ = answer::check(&file, 14_393);
        let _ = answer::check_passwords(&file);
    }

    #[test]
    fn a_changed_login_is_refused(at in 0_usize..300, bit in 0_u8..8) {
        let changed = log_in("Passw0rd!", |message| {
            let at = at % message.len();
            // Whether extended security is set twice or a reserved length differs, the MIC covers every byte.
            message[at] ^= 1 << bit;
        });
        prop_assert!(changed.is_err());
    }
}
