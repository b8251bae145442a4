namespace LightTts.Cuda;

/// <summary>Where a transformer's residual stream lies on the device, with what its next product asks for.</summary>
/// <param name="Values">[rows, hidden] in 32 bits.</param>
/// <param name="Normed">[rows, hidden]: times the norm's weight, not yet divided by the root of the mean square.</param>
/// <param name="Squares">[rows, hidden / 8] sums of squares, in 32 bits.</param>
internal readonly record struct ResidualStream(nint Values, nint Normed, nint Squares);
