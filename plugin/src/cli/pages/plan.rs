//! Codes of what only the cloud's facts bring up, before anything is created.

use reseal_diag::CodePage;

const fn page(code: &'static str, title: &'static str, text: &'static str) -> CodePage {
    CodePage { code, title, text }
}

/// The pages.
pub(super) const CODES: &[CodePage] = &[
    page(
        "plan::limit",
        "this kind of cloud does not allow it",
        "The spec is sound, but the cloud that it names never takes such a value. The message says which limit it is. It was
found before anything was created; nothing has to be cleaned up.",
    ),
    page(
        "plan::not-there",
        "the cloud does not have what the spec names",
        "No image, flavour, network or external network of this name is shown to these credentials. The message lists what
there is, the likeliest first.

Often the credentials belong to another project or region: `reseal doctor` shows which. An image may also be shared and
not yet accepted, or still be on its way to `active`.",
    ),
    page(
        "plan::flavor",
        "the flavour cannot run this base image",
        "Windows needs 2 GB of RAM on NHN Cloud, and an image may ask for more. U2 flavours run Linux only. The check is made
now because the cloud itself complains only after the volume was made, or not at all.

Name another flavour in `base.flavor`, or in `verify.flavor` for the machine that proves the image.",
    ),
    page(
        "plan::server-name",
        "the server's name is too long",
        "Windows takes the server's name as its computer name, which has at most 15 characters. Longer names make NHN Cloud
refuse the server. Leave `base.server_name` out: the build makes a short name that is its own.",
    ),
    page(
        "plan::root-volume",
        "the root volume does not fit",
        "The volume must hold the base image and what Windows adds to it; NHN Cloud asks for 50 GB at least and boots Windows
from a volume only.

    base: { root_volume: { size: 60 GB } }

`image.min_disk` is what machines made of the image will need; it may not be smaller than the volume.",
    ),
    page(
        "plan::base-image",
        "this image cannot be a base",
        "Its properties say that it is no Windows, that no image may be made of its machines, or that its machines take no
user data, by which the build gets in. On NHN Cloud the images with MS-SQL and WAF are excluded from imaging.

Choose a plain Windows Server image, and install the rest with steps.",
    ),
    page(
        "plan::deprecated",
        "the base image is about to be withdrawn",
        "The provider has given the image a date after which it is withdrawn. The build goes on, but the next one may find
nothing. A pattern with `newest: true` follows the provider's newer images by itself:

    base: { image: { name: \"Windows 2022 STD*EN*\", newest: true } }",
    ),
    page(
        "plan::property",
        "the cloud keeps this property for itself",
        "Properties with this beginning are written by the cloud and inherited from the base image. Setting one would be
refused after the image was made. Leave it out; the image gets the base image's value.",
    ),
    page(
        "plan::image-exists",
        "there is an image of this name already",
        "Clouds allow several images of one name, and whoever starts machines by name then gets any of them. The build goes on
and leaves the other one alone.

`-force` replaces it once the new one is proved. A name with `${build.date}` keeps both apart, and `image.alias` always
points at the newest.",
    ),
    page(
        "plan::open-port",
        "WinRM would be open to everybody while the build runs",
        "The security group of the build machine must let the runner in. Its own address cannot be known from here (the
runner may be behind a router), so the port is open to all addresses until the machine is removed. The connection is
encrypted, its certificate is pinned and the account lives for this build only; still, name the address when you know it:

    base: { allow_from: [198.51.100.7/32] }",
    ),
    page(
        "plan::quota",
        "the project's quota is too small",
        "The build needs one server, and a second one for a while if the image is verified by booting it. Delete what is not
needed, ask for a larger quota, or take a smaller flavour. `reseal cleanup -by-marks SPEC` removes what interrupted builds
have left behind.",
    ),
];
