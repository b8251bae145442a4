using Microsoft.Extensions.Logging;

namespace LightTts.Samples.Speak.Terminal;

/// <summary>The engine's warnings as lines on standard error.</summary>
internal sealed class WarningLog : ILoggerFactory, ILogger
{
    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"speak: {formatter(state, exception)}");
    }

    public void Dispose()
    {
    }
}
