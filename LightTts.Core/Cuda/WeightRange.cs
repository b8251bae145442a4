namespace LightTts.Cuda;

/// <summary>Weights on the device that a kernel to come reads.</summary>
/// <param name="Address">Where.</param>
/// <param name="Bytes">How many; 0: none.</param>
internal readonly record struct WeightRange(nint Address, int Bytes);
