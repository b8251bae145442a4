namespace LightTts.Tests.Faults;

/// <summary>Sources of streamed text that misbehave.</summary>
internal static class TextSources
{
    public static readonly string[] Kinds =
        ["throws at once", "throws later", "throws on cleanup", "ends empty", "stalls", "blocks", "empty for ever", "words for ever",
        "throws on cancellation", "null pieces"];

    /// <summary>A source of that kind; those that would go on for ever end, somehow, when the token is cancelled.</summary>
    public static IAsyncEnumerable<string> Create(string kind, string text) => kind switch
    {
        "throws at once" => new Broken(),
        "throws later" => Throwing(text),
        "throws on cleanup" => ThrowingOnCleanup(text),
        "ends empty" => Fixed("", "  "),
        "stalls" => Stalled(text),
        "blocks" => Blocking(text),
        "empty for ever" => Forever(""),
        "words for ever" => Forever("word "),
        "throws on cancellation" => ThrowingOnCancellation(text),
        "null pieces" => Fixed(null!, text, null!),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static async IAsyncEnumerable<string> Fixed(params string[] pieces)
    {
        foreach (var piece in pieces)
            yield return piece;
        await Task.CompletedTask;
    }

    private static async IAsyncEnumerable<string> Throwing(string text)
    {
        yield return text;
        await Task.Yield();
        throw new InvalidDataException("the source broke");
    }

    private static async IAsyncEnumerable<string> ThrowingOnCleanup(string text)
    {
        try
        {
            yield return text;
            await Task.Yield();
        }
        finally
        {
            throw new InvalidDataException("the source broke while it was closed");
        }
    }

    private static async IAsyncEnumerable<string> Stalled(string text,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        yield return text;
        await Task.Delay(Timeout.Infinite, token);
    }

    private static async IAsyncEnumerable<string> Blocking(string text,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        yield return text;
        token.WaitHandle.WaitOne(); // on the thread that asked for the next piece
        await Task.CompletedTask;
    }

    private static async IAsyncEnumerable<string> Forever(string piece)
    {
        // never looks at a token and never waits
        while (true)
            yield return piece;
#pragma warning disable CS0162 // an async iterator wants an await
        await Task.CompletedTask;
#pragma warning restore CS0162
    }

    private static async IAsyncEnumerable<string> ThrowingOnCancellation(string text,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        using var registration = token.Register(() => throw new InvalidDataException("thrown by a callback of the token"));
        yield return text;
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var second = token.Register(() => gone.SetException(new InvalidDataException("thrown after the cancellation")));
        await gone.Task;
    }

    private sealed class Broken : IAsyncEnumerable<string>
    {
        public IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
            throw new InvalidDataException("no enumerator");
    }
}
