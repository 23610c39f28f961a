//! A panic's message can quote the text that it stumbled over. On the gateway's threads only its place is told.
use std::cell::Cell;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static INSTALLED: Once = Once::new();

/// From now on panics on this thread tell no more than their place. Other threads keep their hook.
pub(crate) fn this_thread() {
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| if QUIET.get() { tell_place(panic) } else { before(panic) }));
    });
    QUIET.set(true);
}

fn tell_place(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        // Nobody may be listening.
        let _unheard = writeln!(std::io::stderr(), "the gateway crashed at {}:{}; the call was refused", place.file(), place.line());
    }
}

#[cfg(test)]
mod tests;
