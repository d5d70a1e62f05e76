//! The few primitives of 7.6: RC4, AES-CBC without padding, MD5. Each is used as the standard says and nowhere else.

use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest, Md5};
use sha2::Sha256;

pub(crate) type Md5Sum = [u8; 16];

pub(crate) fn md5(parts: &[&[u8]]) -> Md5Sum {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// An initialisation vector from a seed and a counter.
pub(crate) fn vector(seed: &[u8; 16], count: u64) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"initialisation vector");
    hash.update(seed);
    hash.update(count.to_be_bytes());
    let sum: [u8; 32] = hash.finalize().into();
    sum.first_chunk().copied().unwrap_or_default()
}

/// RC4 in place. Kept here because documents of thirty years use it, and nothing new may.
pub(crate) fn rc4(key: &[u8], data: &mut [u8]) {
    if key.is_empty() {
        return;
    }
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut j = 0u8;
    for (i, byte) in (0..=255u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(read(&state, i)).wrapping_add(*byte);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    for byte in data {
        i = i.wrapping_add(1);
        j = j.wrapping_add(read(&state, i));
        state.swap(usize::from(i), usize::from(j));
        *byte ^= read(&state, read(&state, i).wrapping_add(read(&state, j)));
    }
}

fn read(state: &[u8; 256], at: u8) -> u8 {
    state.get(usize::from(at)).copied().unwrap_or_default()
}

/// AES-CBC over whole blocks; a rest shorter than a block stays as it is. A key of another size than 16 or 32 does nothing.
pub(crate) fn cbc_decrypt(key: &[u8], vector: &[u8; 16], data: &mut [u8]) {
    let blocks = data.chunks_exact_mut(16).filter_map(|chunk| <&mut [u8; 16]>::try_from(chunk).ok());
    if let Ok(mut mode) = cbc::Decryptor::<aes::Aes128>::new_from_slices(key, vector) {
        blocks.for_each(|block| mode.decrypt_block(block_mut::<aes::Aes128>(block)));
    } else if let Ok(mut mode) = cbc::Decryptor::<aes::Aes256>::new_from_slices(key, vector) {
        blocks.for_each(|block| mode.decrypt_block(block_mut::<aes::Aes256>(block)));
    }
}

/// The reverse of [`cbc_decrypt`].
pub(crate) fn cbc_encrypt(key: &[u8], vector: &[u8; 16], data: &mut [u8]) {
    let blocks = data.chunks_exact_mut(16).filter_map(|chunk| <&mut [u8; 16]>::try_from(chunk).ok());
    if let Ok(mut mode) = cbc::Encryptor::<aes::Aes128>::new_from_slices(key, vector) {
        blocks.for_each(|block| mode.encrypt_block(block_mut::<aes::Aes128>(block)));
    } else if let Ok(mut mode) = cbc::Encryptor::<aes::Aes256>::new_from_slices(key, vector) {
        blocks.for_each(|block| mode.encrypt_block(block_mut::<aes::Aes256>(block)));
    }
}

fn block_mut<C: aes::cipher::BlockSizeUser>(bytes: &mut [u8; 16]) -> &mut Block<C>
where
    for<'b> &'b mut Block<C>: From<&'b mut [u8; 16]>,
{
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rc4_vectors() {
        for (key, plain, cipher) in [
            (&b"Key"[..], &b"Plaintext"[..], &[0xBB, 0xF3, 0x16, 0xE8, 0xD9, 0x40, 0xAF, 0x0A, 0xD3][..]),
            (b"Wiki", b"pedia", &[0x10, 0x21, 0xBF, 0x04, 0x20]),
        ] {
            let mut data = plain.to_vec();
            rc4(key, &mut data);
            assert_eq!(data, cipher);
        }
    }

    #[test]
    fn cbc_vector() {
        // NIST SP 800-38A, F.2.1, first two blocks.
        let key = [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];
        let vector: [u8; 16] = std::array::from_fn(|at| at as u8);
        let plain = [
            0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c,
            0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
        ];
        let mut data = plain;
        cbc_encrypt(&key, &vector, &mut data);
        assert_eq!(data[..4], [0x76, 0x49, 0xab, 0xac]);
        assert_eq!(data[16..20], [0x50, 0x86, 0xcb, 0x9b]);
        cbc_decrypt(&key, &vector, &mut data);
        assert_eq!(data, plain);
    }
}
