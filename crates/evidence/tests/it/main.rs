//! The log, its writer and its clients, against real files, sockets and processes; the views, against synthetic records.

#[cfg(test)]
mod append;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod room;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod torn;
#[cfg(test)]
mod view;
#[cfg(test)]
mod writer;
