namespace LightTts.Samples.Speak;

/// <summary>What the process tells the shell.</summary>
internal static class ExitCodes
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int Cancelled = 130; // as a shell reports a process that Ctrl-C ended

    /// <summary>Runs a command's work and turns its errors into one line on standard error and an exit code.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("speak: cancelled");
            return Cancelled;
        }
        catch (Exception e) when (e is TtsException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Console.Error.WriteLine($"speak: {e.Message}");
            return e is TtsRequestException or ArgumentException ? Usage : Failure;
        }
    }
}
