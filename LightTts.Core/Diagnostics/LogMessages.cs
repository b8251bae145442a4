using Microsoft.Extensions.Logging;

namespace LightTts.Diagnostics;

/// <summary>Everything that the engine logs. Event ids: 1000 pipeline, 1100 stages, 1200 models, 3000 timbres. Request text only at Trace.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1000, LogLevel.Information, "Loaded {Model} ({Kind}, {Parameters:N0} parameters) on {Device} in {Milliseconds:0} ms")]
    public static partial void Loaded(ILogger log, string model, string kind, long parameters, string device, double milliseconds);

    [LoggerMessage(1001, LogLevel.Debug, "Request {RequestId} accepted: {Mode}, {Characters} characters, voice {Voice}")]
    public static partial void Accepted(ILogger log, long requestId, AudioDelivery mode, int characters, string voice);

    [LoggerMessage(1002, LogLevel.Debug,
        "Request {RequestId} done: {AudioSeconds:0.00} s of audio in {Seconds:0.00} s, first audio after {FirstAudio:0.000} s")]
    public static partial void Completed(ILogger log, long requestId, double audioSeconds, double seconds, double firstAudio);

    [LoggerMessage(1003, LogLevel.Debug, "Request {RequestId} cancelled after {Seconds:0.00} s")]
    public static partial void Cancelled(ILogger log, long requestId, double seconds);

    [LoggerMessage(1004, LogLevel.Warning, "Request {RequestId} failed after {Seconds:0.00} s")]
    public static partial void Failed(ILogger log, Exception error, long requestId, double seconds);

    [LoggerMessage(1005, LogLevel.Warning, "Request refused: the queue is full ({Limit} requests)")]
    public static partial void QueueFull(ILogger log, int limit);

    [LoggerMessage(1006, LogLevel.Trace, "Request {RequestId} text: {Text}")]
    public static partial void RequestText(ILogger log, long requestId, string text);

    [LoggerMessage(1100, LogLevel.Critical, "The {Stage} stage's thread ended on an error; the pipeline is lost")]
    public static partial void StageDied(ILogger log, Exception error, string stage);

    [LoggerMessage(1101, LogLevel.Error, "A step of the {Stage} stage failed; the requests in it were failed, the stage goes on")]
    public static partial void StageStepFailed(ILogger log, Exception error, string stage);

    [LoggerMessage(1102, LogLevel.Debug, "Request {RequestId} gave up its place in the key/value cache; its sequence will be fed again")]
    public static partial void Preempted(ILogger log, long requestId);

    [LoggerMessage(1103, LogLevel.Debug, "Sentence {Sentence} of request {RequestId} is drawn again: {Reason}")]
    public static partial void Redrawn(ILogger log, long requestId, int sentence, string reason);

    [LoggerMessage(1104, LogLevel.Warning, "Sentence {Sentence} of request {RequestId} does not fit its text: {Reason}, after {Redraws} redraws")]
    public static partial void Implausible(ILogger log, long requestId, int sentence, string reason, int redraws);

    [LoggerMessage(1200, LogLevel.Warning, "This libtorch does not let streams be chosen: the stages wait for each other on the device")]
    public static partial void NoStreams(ILogger log);

    [LoggerMessage(1201, LogLevel.Information, "{File} runs on ONNX Runtime's {Provider}, without {Reasons}")]
    public static partial void OnnxFallback(ILogger log, string file, string provider, string reasons);

    [LoggerMessage(1202, LogLevel.Information, "Decoding by ONNX Runtime on {Provider}: {File}")]
    public static partial void OnnxDecoder(ILogger log, string provider, string file);

    [LoggerMessage(1203, LogLevel.Warning, "ONNX Runtime decodes no more for this model, LightTts' own estimator goes on: {Reason}")]
    public static partial void OnnxDecoderLost(ILogger log, string reason);

    [LoggerMessage(1204, LogLevel.Information, "Decoding without ONNX Runtime: {Reason}")]
    public static partial void NoOnnxDecoder(ILogger log, string reason);

    [LoggerMessage(1205, LogLevel.Warning, "The language model runs in libtorch's operations, not in kernels of its own, which is slower: {Reason}")]
    public static partial void NoKernels(ILogger log, string reason);

    [LoggerMessage(1206, LogLevel.Warning, "{Part}: libtorch's operations do the work of own kernels, which is slower: {Reason}")]
    public static partial void NoOwnKernels(ILogger log, string part, string reason);
}
