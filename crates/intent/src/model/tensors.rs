//! Tensors of a safetensors file, each checked before its weights are used.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::ModelError;

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
        let bytes = view.data();
        let numbers: Vec<f32> = match view.dtype() {
            Dtype::F32 => {
                bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
            }
            Dtype::F16 => bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|two| f16::from_le_bytes(*two).to_f32())
                .collect(),
            Dtype::BF16 => bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|two| bf16::from_le_bytes(*two).to_f32())
                .collect(),
            other => {
                return Err(self.wrong(name, format!("{other:?}"), "F32, F16 or BF16".to_owned()));
            }
        };
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(ModelError::NotFinite { file: self.file.to_owned(), tensor: name.to_owned() })
        }
    }

    /// Bytes of a tensor with these sizes.
    pub(crate) fn bytes(
        &self,
        name: &str,
        dtype: Dtype,
        shape: &[usize],
    ) -> Result<&[u8], ModelError> {
        let view = self.view(name, shape)?;
        if view.dtype() != dtype {
            return Err(self.wrong(name, format!("{:?}", view.dtype()), format!("{dtype:?}")));
        }
        Ok(self.tensors.tensor(name).map_or(&[], |view| view.data()))
    }

    /// Sizes of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Result<Vec<usize>, ModelError> {
        Ok(self.any(name)?.shape().to_vec())
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, ModelError> {
        let view = self.any(name)?;
        if view.shape() == shape {
            Ok(view)
        } else {
            Err(self.wrong(name, format!("{:?}", view.shape()), format!("{shape:?}")))
        }
    }

    fn any(&self, name: &str) -> Result<TensorView<'_>, ModelError> {
        self.tensors.tensor(name).map_err(|_| ModelError::TensorMissing {
            file: self.file.to_owned(),
            tensor: name.to_owned(),
        })
    }

    fn wrong(&self, tensor: &str, found: String, expected: String) -> ModelError {
        ModelError::Shape { file: self.file.to_owned(), tensor: tensor.to_owned(), found, expected }
    }
}
