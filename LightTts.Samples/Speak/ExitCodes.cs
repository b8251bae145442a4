using LightTts.Samples.Speak.Output;

namespace LightTts.Samples.Speak;

/// <summary>What the process tells the shell.</summary>
internal static class ExitCodes
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int Cancelled = 130; // as a shell reports a process that Ctrl-C ended
    public const int BrokenPipe = 141; // as a shell reports a filter whose reader has gone

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
        catch (IOException e) when (StandardOutput.IsBrokenPipe(e))
        {
            return BrokenPipe;
        }
        catch (OutOfMemoryException)
        {
            Console.Error.WriteLine("speak: there is not enough memory for the model. Free some, or raise the process's limit: ulimit -v unlimited");
            return Failure;
        }
        catch (Exception e) when (e is TtsException or IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            Console.Error.WriteLine($"speak: {e.Message}");
            return e is TtsRequestException or ArgumentException or FormatException ? Usage : Failure;
        }
    }
}
