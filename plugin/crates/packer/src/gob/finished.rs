//! How a command ended: the only gob that is also read.

use super::{Gob, basic};

/// The message on a command's response stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommandFinished {
    pub(crate) exit_status: i64,
}

/// Why a response is not the end of a command.
#[derive(Debug, thiserror::Error)]
#[error("the response to a command makes no sense")]
pub(crate) struct FinishedError;

/// The number that Go gives to the first type of a stream.
const ID: i64 = 64;

impl CommandFinished {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let value = Gob::default().int(ID);
        let value = match self.exit_status {
            0 => value,
            status => value.uint(1).int(status),
        };
        Gob::default()
            .define_struct(ID, "CommandFinished", &[("ExitStatus", basic::INT)])
            .message(value.uint(0))
            .into_bytes()
    }

    /// Reads a whole response. Definitions are skipped, since there is but one field; their numbers differ between
    /// processes.
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self, FinishedError> {
        loop {
            let length = usize::try_from(uint(&mut bytes)?).map_err(|_| FinishedError)?;
            let (mut message, rest) = bytes.split_at_checked(length).ok_or(FinishedError)?;
            bytes = rest;
            if int(&mut message)? < 0 {
                continue;
            }
            let exit_status = match uint(&mut message)? {
                0 => 0,
                1 => int(&mut message)?,
                _ => return Err(FinishedError),
            };
            return Ok(Self { exit_status });
        }
    }
}

fn uint(bytes: &mut &[u8]) -> Result<u64, FinishedError> {
    let (first, rest) = bytes.split_first().ok_or(FinishedError)?;
    if *first < 0x80 {
        *bytes = rest;
        return Ok(u64::from(*first));
    }
    let count = usize::from(0_u8.wrapping_sub(*first));
    let (digits, rest) = rest.split_at_checked(count).ok_or(FinishedError)?;
    if count > 8 {
        return Err(FinishedError);
    }
    *bytes = rest;
    Ok(digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)))
}

fn int(bytes: &mut &[u8]) -> Result<i64, FinishedError> {
    let number = uint(bytes)?;
    let magnitude = i64::try_from(number >> 1).map_err(|_| FinishedError)?;
    Ok(if number & 1 == 1 { !magnitude } else { magnitude })
}
