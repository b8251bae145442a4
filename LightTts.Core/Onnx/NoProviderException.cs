namespace LightTts.Onnx;

/// <summary>None of the execution providers that were asked for can be had; the message has a reason for each.</summary>
internal sealed class NoProviderException(string reasons) : Exception(reasons);
