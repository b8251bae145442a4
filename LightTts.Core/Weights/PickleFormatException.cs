namespace LightTts.Weights;

/// <summary>Why a pickle is refused; becomes a <see cref="TtsModelLoadException"/> that adds file, opcode and offset.</summary>
internal sealed class PickleFormatException(string message) : Exception(message);
