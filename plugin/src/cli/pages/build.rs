//! Codes of builds that failed, one for each class of failures and its exit code.

use reseal_diag::CodePage;

const fn page(code: &'static str, title: &'static str, text: &'static str) -> CodePage {
    CodePage { code, title, text }
}

/// The pages.
pub(super) const CODES: &[CodePage] = &[
    page(
        "build::internal",
        "a fault of this program, or a wait without an end (exit code 1)",
        "Either something came that this program did not expect, or a wait reached its limit. The message names the wait and
what was seen last. `build.log` in the run's folder has everything that was said; attach it to a bug report, it is free
of secrets. `reseal resume` tries the step again.",
    ),
    page(
        "build::input",
        "the spec or one of its files is wrong (exit code 2)",
        "Something of the spec could be found out only while building: a local file vanished or changed, a secret is not at
hand for a resume, a certificate cannot be read. Cure it and build again.",
    ),
    page(
        "build::cloud",
        "the cloud refused, or is not well (exit code 4)",
        "What passes by itself was tried again already. The message has the cloud's own words and, where it gave one, the id
of the request, by which its support finds it. `reseal doctor` says whether network, log-in, catalogue and each service
answer.",
    ),
    page(
        "build::unreachable",
        "the guest cannot be reached (exit code 5)",
        "The machine runs, but WinRM did not let us in within `connect.winrm.timeout`, or it was lost and did not come back.

Usual causes: the network between runner and machine (`base.address`, `base.allow_from`, a firewall on the runner's side),
a base image whose first boot takes very long, or one that does not run user data. `-on-error=abort` keeps the machine;
its console in the cloud's web pages then shows what it is doing.",
    ),
    page(
        "build::install",
        "a step of the software failed (exit code 6)",
        "The installer or script ended with an exit code that does not stand for success, or what `detect` asks for was not
there afterwards. The last lines of its output are shown; installers' own logs are in `logs/` of the run's folder.

`-on-error=ask` lets you look at the machine and try the step again; `-on-error=abort` keeps it for `reseal resume`, which
goes on with this step.",
    ),
    page(
        "build::sysprep",
        "answer file, preflight or sysprep failed (exit code 7)",
        "The message names the cause and the cure as far as sysprep's logs tell; the logs themselves are in `logs/` of the
run's folder, and `reseal explain setuperr.log` reads any of them. Causes that the preflight can cure are cured when the
spec allows it:

    generalize: { fix: [appx, bitlocker] }",
    ),
    page(
        "build::capture",
        "the image could not be made (exit code 8)",
        "The machine was generalized, but the image did not become `active`, or could not be described or published. A
generalized machine must not boot again, so the build starts over; what was created is removed.",
    ),
    page(
        "build::verify",
        "the image does not hold what it should (exit code 9)",
        "A second machine was started from the image, and its first boot, its services or one of `verify.checks` was not as
it should be. The image was removed and did not get its name: nobody can have used it.",
    ),
    page(
        "build::cancelled",
        "somebody asked to stop (exit code 130)",
        "The first Ctrl-C leaves the wait and removes what was created; the second keeps everything as it is. `reseal status`
shows builds that are not closed, `reseal resume` and `reseal cleanup` go on with them.",
    ),
];
