//! The session's network: loopback, a local default route, a redirect of every TCP connection, and the door's listeners.

mod listeners;
mod redirect;
mod route;

use crate::Error;
pub(crate) use listeners::{COUNT, Listeners, listen};

/// Port to which every TCP connection to another address is redirected.
pub(crate) const REDIRECT_PORT: u16 = 4182;
/// Name queries.
pub(crate) const NAME_PORT: u16 = 53;

/// Brings loopback up in this (new) network namespace, both families where the kernel has them.
pub(crate) fn raise_loopback() -> Result<(), Error> {
    route::raise_loopback()
}

/// Makes every address local and every TCP connection end at the door. Call after [`raise_loopback`].
pub(crate) fn redirect_to_door() -> Result<(), Error> {
    route::route_everything_here()?;
    redirect::install()
}
