//! A panic's message can quote the text that it stumbled over. Of this crate's threads, which are known by name, only the place is told.

use std::io::Write;
use std::sync::Once;

/// How the names of such threads begin.
pub(crate) const THREAD_PREFIX: &str = "model-";

static INSTALLED: Once = Once::new();

/// From now on, panics on threads of this crate tell no more than their place. Other threads keep their hook.
pub(crate) fn install() {
    INSTALLED.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !std::thread::current().name().is_some_and(|name| name.starts_with(THREAD_PREFIX)) {
                return others(panic);
            }
            if let Some(place) = panic.location() {
                // Nobody may be listening.
                let _unheard = writeln!(std::io::stderr(), "the local model crashed at {}:{}", place.file(), place.line());
            }
        }));
    });
}
