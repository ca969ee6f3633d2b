//! The tensors of a published network, as `assets/base/images.py` writes them: named as in our model files, with the layers as
//! JSON in the metadata.

use super::layer::{Layer, fit_together};
use super::model_file::{ModelError, read_tensor};
use crate::picture::PictureSpec;
use candle_core::Tensor;
use safetensors::SafeTensors;

/// A published network.
pub(crate) struct Published<'a> {
    /// Its layers, which take pictures of the base model for images.
    pub layers: Vec<Layer>,
    tensors: SafeTensors<'a>,
}

impl<'a> Published<'a> {
    /// Reads the bytes of the file.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let format = |error: &dyn std::fmt::Display| ModelError::Format(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| format(&error))?;
        let json = metadata.metadata().as_ref().and_then(|metadata| metadata.get("layers"));
        let json = json.ok_or_else(|| ModelError::Format("a safetensors file without layers".into()))?;
        let layers: Vec<Layer> = serde_json::from_str(json).map_err(|error| format(&error))?;
        let spec = PictureSpec::BASE_IMAGE;
        if !fit_together(&layers, spec.side, spec.kind.channels()) {
            return Err(ModelError::Format("layers that do not fit together".into()));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| format(&error))?;
        Ok(Self { layers, tensors })
    }

    /// The tensor of this name, if it has this shape.
    pub fn find(&self, name: &str, shape: &[usize]) -> candle_core::Result<Tensor> {
        read_tensor(&self.tensors, name, shape)
    }
}
