using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>A message to the encode stage; the default value only wakes it.</summary>
internal readonly record struct EncodeMessage(SynthesisJob? Job, TimbreExtraction? Extraction);

/// <summary>Reference audio that waits to be turned into a voice.</summary>
internal sealed record TimbreExtraction(AudioClip Reference, string? Transcript, CancellationToken Cancellation)
{
    public TaskCompletionSource<Timbres.TimbreFeatures> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>First stage: text into pieces of token ids, one ahead of the language stage; reference audio into voices; speech into tokens.</summary>
internal sealed class EncodeStage(ISpeechEncoder encoder, LanguageStage language, DecodeStage decode, int capacity, TimeProvider time, ILogger log)
    : Stage<EncodeMessage>(PipelineStage.Encode, capacity, time, log)
{
    private readonly List<TextReading> _readings = [];
    private readonly Queue<TimbreExtraction> _extractions = new();
    private readonly List<SpeechReading> _speech = [];
    private int _turn; // whose turn it is among those

    protected override IDisposable Enter() => encoder.EnterThread();

    protected override void WarmUp() => encoder.WarmUp();

    protected override void Receive(EncodeMessage message)
    {
        if (message.Job is { Speech: not null } conversion)
            _speech.Add(new SpeechReading(conversion, decode));
        else if (message.Job is { } job)
            _readings.Add(new TextReading(job));
        if (message.Extraction is { } extraction)
            _extractions.Enqueue(extraction);
    }

    protected override void Refuse(EncodeMessage message, Exception cause)
    {
        message.Job?.Fail(cause);
        message.Extraction?.Result.TrySetException(cause);
    }

    protected override bool Step()
    {
        var more = false;
        // Text costs microseconds and decides about first audio; extraction costs tens of milliseconds and is taken one at a time between.
        for (var i = _readings.Count - 1; i >= 0; i--)
        {
            if (!_readings[i].Advance(encoder, language))
            {
                _readings[i].Dispose();
                _readings.RemoveAt(i);
            }
            else
            {
                more |= _readings[i].HasMore;
            }
        }
        if (_extractions.TryDequeue(out var extraction))
            Extract(extraction);
        return ReadSpeech() | more || _extractions.Count > 0;
    }

    /// <summary>Makes tokens of one source, the next in turn that has audio for it: that costs as much as an extraction.</summary>
    private bool ReadSpeech()
    {
        for (var tries = _speech.Count; tries > 0; tries--)
        {
            _turn = (_turn + 1) % _speech.Count;
            var reading = _speech[_turn];
            var worked = reading.Advance(encoder);
            if (reading.IsOver)
                _speech.RemoveAt(_turn);
            if (worked)
                return true;
            if (_speech.Count == 0)
                break;
        }
        return false;
    }

    protected override void Fault(Exception cause)
    {
        foreach (var reading in _readings)
        {
            reading.Job.Fail(cause);
            reading.Dispose();
        }
        _readings.Clear();
        foreach (var reading in _speech)
            reading.Job.Fail(cause);
        _speech.Clear();
        while (_extractions.TryDequeue(out var extraction))
            extraction.Result.TrySetException(cause);
    }

    protected override void Close()
    {
        Fault(new ObjectDisposedException(nameof(TtsPipeline)));
        encoder.Dispose();
    }

    private void Extract(TimbreExtraction extraction)
    {
        if (extraction.Cancellation.IsCancellationRequested)
        {
            extraction.Result.TrySetCanceled(extraction.Cancellation);
            return;
        }
        try
        {
            using var measurement = LightTtsDiagnostics.MeasureStage(Name);
            extraction.Result.TrySetResult(encoder.ExtractTimbre(extraction.Reference, extraction.Transcript));
        }
        catch (Exception e)
        {
            extraction.Result.TrySetException(e as TtsException ?? new TtsSynthesisException($"The voice could not be extracted: {e.Message}", e));
        }
    }
}
