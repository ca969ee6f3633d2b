//! Helpers for the tests of the layers: tensors of noise, and gradients against finite differences.

use candle_core::{Device, Shape, Tensor, Var};

/// Irregular numbers between -1 and 1 that depend on `seed`.
pub fn noise(shape: impl Into<Shape>, seed: f32) -> Tensor {
    let shape = shape.into();
    let wave = |i: usize| ((i as f32 * 12.9898 + seed).sin() * 43_758.547).fract();
    let values: Vec<f32> = (0..shape.elem_count()).map(wave).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Fails unless both have the same shape and differ by at most `tolerance` of their size.
pub fn assert_close(a: &Tensor, b: &Tensor, tolerance: f32) {
    assert_eq!(a.dims(), b.dims());
    for (a, b) in numbers(a).iter().zip(numbers(b)) {
        assert!((a - b).abs() < tolerance * (1.0 + b.abs()), "{a} {b}");
    }
}

/// Fails unless the gradients of `loss`, a scalar that depends on `vars`, equal its central differences over
/// `step`, to `tolerance` of their size.
pub fn assert_finite_differences(vars: &[&Var], step: f32, tolerance: f64, loss: impl Fn() -> Tensor) {
    let grads = loss().backward().unwrap();
    for (which, var) in vars.iter().enumerate() {
        let before = numbers(var);
        let set = |values: Vec<f32>| {
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        };
        for (i, got) in numbers(grads.get(var).unwrap()).into_iter().enumerate() {
            let at = |delta: f32| {
                let mut moved = before.clone();
                moved[i] += delta;
                set(moved);
                f64::from(loss().to_scalar::<f32>().unwrap())
            };
            let want = (at(step) - at(-step)) / f64::from(2.0 * step);
            let off = (f64::from(got) - want).abs();
            assert!(off < tolerance * (1.0 + want.abs()), "variable {which}, {i}: {got} {want}");
        }
        set(before);
    }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
