//! What may be cured and accepted before sysprep.

use reseal_diag::{Diagnostic, nearest};
use reseal_guest::preflight::RULES;

use super::Complain;
use crate::codes;
use crate::model::Spec;

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    for (index, code) in spec.generalize.accept.iter().enumerate() {
        if RULES.iter().any(|rule| rule.code == code) {
            continue;
        }
        let message = format!("the check before sysprep has no finding `{code}`");
        let codes = RULES.iter().map(|rule| rule.code);
        let help = match nearest(code, codes) {
            Some(near) => format!("did you mean `{near}`? `reseal explain` lists all codes"),
            None => "findings are called `P001` and so on; `reseal explain` lists them".to_owned(),
        };
        let at = format!("/generalize/accept/{index}");
        complain.push(Diagnostic::error(codes::BAD_VALUE, message), &at, &help);
    }
}
