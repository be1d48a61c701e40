//! Tensors of a safetensors file, each checked before its weights are used.

use std::borrow::Cow;

use half::{bf16, f16, slice::HalfFloatSliceExt as _};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::ModelError;

/// Keeps bytes of a file for as long as the model: those of the program where they are, others as a copy.
pub(crate) type Keep<'a> = fn(&'a [u8]) -> Cow<'static, [u8]>;

/// A file of tensors in memory.
pub(crate) struct Tensors<'a> {
    file: &'a str,
    tensors: SafeTensors<'a>,
}

impl<'a> Tensors<'a> {
    /// Reads the table of a file.
    pub(crate) fn read(file: &'a str, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|source| ModelError::Tensors { file: file.to_owned(), source })?;
        Ok(Self { file, tensors })
    }

    /// Names of all tensors, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tensors.names().into_iter().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// Numbers of a tensor of f32, f16 or bf16 with these sizes, all of them finite.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self.view(name, shape)?;
        let kind = self.kind(name, &view)?;
        let mut numbers = Vec::with_capacity(shape.iter().product());
        kind.read_into(view.data(), &mut numbers);
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(self.not_finite(name))
        }
    }

    /// Rows of such a tensor, left as the file has them.
    pub(crate) fn rows(
        &self,
        name: &str,
        [count, width]: [usize; 2],
        keep: Keep<'a>,
    ) -> Result<Rows, ModelError> {
        let view = self.view(name, &[count, width])?;
        let kind = self.kind(name, &view)?;
        let rows = Rows { kind, width, bytes: keep(view.data()) };
        let mut row = Vec::with_capacity(width);
        for number in 0..count {
            row.clear();
            rows.read_into(number, &mut row);
            if !row.iter().all(|number| number.is_finite()) {
                return Err(self.not_finite(name));
            }
        }
        Ok(rows)
    }

    /// Bytes of a tensor with these sizes.
    pub(crate) fn bytes(
        &self,
        name: &str,
        dtype: Dtype,
        shape: &[usize],
    ) -> Result<&'a [u8], ModelError> {
        let view = self.view(name, shape)?;
        if view.dtype() != dtype {
            return Err(self.wrong(name, format!("{:?}", view.dtype()), format!("{dtype:?}")));
        }
        Ok(view.data())
    }

    /// Sizes of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Result<Vec<usize>, ModelError> {
        Ok(self.any(name)?.shape().to_vec())
    }

    fn kind(&self, name: &str, view: &TensorView<'_>) -> Result<Kind, ModelError> {
        match view.dtype() {
            Dtype::F32 => Ok(Kind::F32),
            Dtype::F16 => Ok(Kind::F16),
            Dtype::BF16 => Ok(Kind::BF16),
            other => Err(self.wrong(name, format!("{other:?}"), "F32, F16 or BF16".to_owned())),
        }
    }

    fn not_finite(&self, name: &str) -> ModelError {
        ModelError::NotFinite { file: self.file.to_owned(), tensor: name.to_owned() }
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'a>, ModelError> {
        let view = self.any(name)?;
        if view.shape() == shape {
            Ok(view)
        } else {
            Err(self.wrong(name, format!("{:?}", view.shape()), format!("{shape:?}")))
        }
    }

    fn any(&self, name: &str) -> Result<TensorView<'a>, ModelError> {
        self.tensors.tensor(name).map_err(|_| ModelError::TensorMissing {
            file: self.file.to_owned(),
            tensor: name.to_owned(),
        })
    }

    fn wrong(&self, tensor: &str, found: String, expected: String) -> ModelError {
        ModelError::Shape { file: self.file.to_owned(), tensor: tensor.to_owned(), found, expected }
    }
}

/// Kinds of numbers that are read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    F32,
    F16,
    BF16,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// Puts all numbers of these bytes behind those there are.
    fn read_into(self, bytes: &[u8], numbers: &mut Vec<f32>) {
        /// Numbers turned at once, which costs less than one after the other.
        const TURNED: usize = 64;
        let from = numbers.len();
        match self {
            Self::F32 => {
                numbers.extend(bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes));
            }
            Self::F16 => {
                let halves = bytes.as_chunks::<2>().0;
                numbers.resize(from + halves.len(), 0.0);
                let mut some = [f16::ZERO; TURNED];
                for (halves, turned) in
                    halves.chunks(TURNED).zip(numbers[from..].chunks_mut(TURNED))
                {
                    for (half, two) in some.iter_mut().zip(halves) {
                        *half = f16::from_le_bytes(*two);
                    }
                    some[..turned.len()].convert_to_f32_slice(turned);
                }
            }
            Self::BF16 => numbers.extend(
                bytes.as_chunks::<2>().0.iter().map(|two| bf16::from_le_bytes(*two).to_f32()),
            ),
        }
    }
}

/// Rows of numbers that are looked up one by one and not multiplied, so that they may stay as the file has them: half
/// the memory, and none for those of the program.
pub(crate) struct Rows {
    kind: Kind,
    width: usize,
    bytes: Cow<'static, [u8]>,
}

impl Rows {
    /// Puts the numbers of a row behind those there are.
    pub(crate) fn read_into(&self, row: usize, numbers: &mut Vec<f32>) {
        let bytes = self.width * self.kind.size();
        self.kind.read_into(&self.bytes[row * bytes..][..bytes], numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_kind_are_read_as_they_were_written() {
        // More than are turned at once, and no multiple of it.
        let written: Vec<f32> = (0..150).map(|number| (number as f32 - 70.0) / 4.0).collect();
        let halves = |bytes: fn(f32) -> [u8; 2]| written.iter().flat_map(move |of| bytes(*of));
        for (kind, bytes) in [
            (Kind::F32, written.iter().flat_map(|of| of.to_le_bytes()).collect::<Vec<u8>>()),
            (Kind::F16, halves(|of| f16::from_f32(of).to_le_bytes()).collect()),
            (Kind::BF16, halves(|of| bf16::from_f32(of).to_le_bytes()).collect()),
        ] {
            let rows = Rows { kind, width: 75, bytes: Cow::Owned(bytes) };
            let mut numbers = vec![1.0];
            rows.read_into(1, &mut numbers);
            rows.read_into(0, &mut numbers);
            let expected = [&[1.0], &written[75..], &written[..75]].concat();
            assert_eq!(numbers, expected, "{kind:?}");
        }
    }
}
