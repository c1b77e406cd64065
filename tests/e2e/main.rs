//! The whole line, from a rack spec to a report, and one server through its life. Every lab here
//! runs virtual machines or stands for one that does; one at a time.

mod apply;
mod boot_device;
mod demo;
mod drop_in;
mod example;
mod hardware;
mod ipxe;
mod life;
mod record;
mod rootless;
mod storage;
mod turn;
mod twin;
mod twins;
