//! Prints the TypeScript module; see `sealbridge_protocol::typescript`.

fn main() {
    print!("{}", sealbridge_protocol::typescript::module());
}
