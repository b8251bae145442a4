namespace LightTts;

/// <summary>The arithmetic of the models' large matrix products. Everything that
/// accumulates (solver state, phase, softmax) stays in 32 or 64 bits.</summary>
public enum ComputePrecision
{
    /// <summary>bfloat16 products where the processor has them in hardware and the model
    /// was found to speak as well with them; float32 otherwise. Parts of a model that was converted to 8-bit numbers are computed in
    /// them.</summary>
    Auto,

    /// <summary>32-bit floating point: exact to the reference within 1e-4.</summary>
    Float32,

    /// <summary>bfloat16 weights and products, 32-bit accumulation. On the CPU half of the memory; products of many rows are twice as fast where the
    /// processor has instructions for them, and those of single rows everywhere. On CUDA the convolutions of CosyVoice3's vocoder then read
    /// 16-bit numbers of 11 significant bits; elsewhere the vocoder computes in 32 bits.</summary>
    BFloat16,

    /// <summary>8-bit whole numbers in the products of the language model and the flow's transformer: a quarter of the memory. Weights have
    /// a scale for each output, inputs one for each row, and what a stream's flow keeps of its past one for each key and value.
    /// Everything else is as <see cref="Float32"/>. On the CPU only.</summary>
    Int8,

    /// <summary>Weights of 16 bits with 11 significant ones in the products of the language model and the flow's transformer, multiplied and added
    /// in 32 bits: half of the memory, and nearer to <see cref="Float32"/> than <see cref="BFloat16"/>, but no faster with many rows. Weights
    /// beyond 65,504 are refused. On the CPU only.</summary>
    Float16,
}
