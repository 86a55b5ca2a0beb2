//! What is known of what a server did with a message, beside who received it.

use super::events::Moment;
use super::undecided::Undecided;

/// See the module's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    /// Before when the server had handled the message, if anything shows that.
    pub(super) handled: Option<Moment>,
    /// Why nobody has to receive it, if so.
    pub(super) excuse: Option<Undecided>,
}
