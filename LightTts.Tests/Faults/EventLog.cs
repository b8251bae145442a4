using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LightTts.Tests.Faults;

/// <summary>Counts, for each request id, how often its acceptance and its end were logged.</summary>
internal sealed class EventLog : ILogger
{
    private const int Accepted = 1001, Completed = 1002, Cancelled = 1003, Failed = 1004;

    private readonly ConcurrentDictionary<long, (int Accepted, int Ended)> _requests = new();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id is not (Accepted or Completed or Cancelled or Failed) || state is not IReadOnlyList<KeyValuePair<string, object?>> values)
            return;
        var id = (long)values.First(value => value.Key == "RequestId").Value!;
        var (accepted, ended) = eventId.Id == Accepted ? (1, 0) : (0, 1);
        _requests.AddOrUpdate(id, (accepted, ended), (_, seen) => (seen.Accepted + accepted, seen.Ended + ended));
    }

    /// <summary>Every request that was accepted has ended, in the log, exactly once.</summary>
    public void AssertOneEndEach() => Assert.All(_requests, request => Assert.Equal((1, 1), request.Value));
}

/// <summary>A factory whose loggers are all that one.</summary>
internal sealed class EventLogFactory(EventLog log) : ILoggerFactory
{
    public void AddProvider(ILoggerProvider provider) { }

    public ILogger CreateLogger(string categoryName) => log;

    public void Dispose() { }
}
