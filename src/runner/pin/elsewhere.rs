//! Where a process cannot say on which processors it runs, as on macOS.

/// Who may run where: there are none of these.
#[derive(Debug)]
pub(in crate::runner) enum Processors {}

impl Processors {
    /// Refuses.
    ///
    /// # Errors
    /// Always, with a sentence.
    pub(in crate::runner) fn divide() -> Result<Processors, String> {
        Err("`--pin` needs Linux, where a process can choose its processors: leave it out".to_owned())
    }

    /// There is nothing of which this could be asked.
    pub(in crate::runner) fn for_server(&self) -> Result<(), String> {
        match *self {}
    }

    /// There is nothing of which this could be asked.
    pub(in crate::runner) fn for_clients(&self) -> Result<(), String> {
        match *self {}
    }

    /// There is nothing of which this could be asked.
    pub(in crate::runner) fn for_everybody(&self) -> Result<(), String> {
        match *self {}
    }
}
