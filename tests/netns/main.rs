//! Labs in real namespaces: what a lab leaves behind, how it ends, who may run it.

mod apply;
mod bgp;
mod boot;
mod center;
mod doctor;
mod drop_in;
mod example;
mod fall;
mod kill9;
mod life;
mod neco;
mod network;
mod outside;
mod power;
mod rootless;
mod router;
mod seed;
mod services;
mod stop;
mod unready;
