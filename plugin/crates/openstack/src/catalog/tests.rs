//! Catalogues of both kinds.
