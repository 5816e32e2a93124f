//! Service.
pub(crate) fn answer(turn: &mut super::front::Turn<'_>) -> super::reply::Outcome {
    Err(super::reply::Refusal::strict(format!("unknown call {}", turn.ask.line())))
}
