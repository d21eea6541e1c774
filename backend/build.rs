//! The browser client is compiled in: build again when it was built again.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../frontend/dist");
}
