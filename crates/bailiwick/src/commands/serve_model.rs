use crate::exit::{DONE, Failure, REFUSED};
use std::os::unix::net::UnixListener;
use std::path::Path;

pub(super) fn run(descriptor: i32, model: &Path) -> Result<u8, Failure> {
    let listener = sandbox::inherited(descriptor).map_err(|error| Failure::new(REFUSED, error))?;
    model::serve(UnixListener::from(listener), model, model::Limits::default()).map_err(|error| Failure::new(REFUSED, error))?;
    Ok(DONE)
}
