using Microsoft.Extensions.Options;

namespace LightTts.Extensions;

/// <summary>Checks the options when the host starts. Every message names the option, its
/// value and the cure; all that is wrong is said at once.</summary>
internal sealed class LightTtsOptionsValidator : IValidateOptions<LightTtsOptions>
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    public ValidateOptionsResult Validate(string? name, LightTtsOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        void Require(bool holds, string option, object? value, string cure)
        {
            if (!holds)
                faults.AddError($"{option} is {value}; {cure}", string.IsNullOrEmpty(name) ? "LightTts" : $"LightTts '{name}'");
        }

        foreach (var fault in options.NameFaults)
            faults.AddError(fault);
        CheckPaths(options, Require);
        Require(Enum.IsDefined(options.Device), nameof(options.Device), options.Device, "use Auto, Cpu or Cuda.");
        Require(options.DeviceIndex >= 0, nameof(options.DeviceIndex), options.DeviceIndex, "CUDA devices count from 0.");
        Require(Enum.IsDefined(options.Precision), nameof(options.Precision), options.Precision, "use Auto, Float32 or BFloat16.");
        Require(options.Threads is null or >= 1, nameof(options.Threads), options.Threads, "set at least 1, or leave it out for all cores.");
        Require(options.MaxQueuedRequests >= 1, nameof(options.MaxQueuedRequests), options.MaxQueuedRequests, "set at least 1 (default 64).");
        Require(options.MaxBatchSize is null or (>= 1 and <= 256), nameof(options.MaxBatchSize), options.MaxBatchSize,
            "set 1 to 256, or leave it out for the device's default.");
        Require(options.KvCacheTokens is null or >= 1024, nameof(options.KvCacheTokens), options.KvCacheTokens,
            "set at least 1024, or leave it out for the device's default.");
        Require(options.FlowCacheBytes is null or >= 0, nameof(options.FlowCacheBytes), options.FlowCacheBytes,
            "set 0 (no cache) or more bytes, or leave it out for the device's default.");
        Require(options.MaxTextLength >= 1, nameof(options.MaxTextLength), options.MaxTextLength, "set at least 1 character.");
        Require(Enum.IsDefined(options.WarmUp), nameof(options.WarmUp), options.WarmUp, "use Blocking, Background or Lazy.");
        Require(Enum.IsDefined(options.English), nameof(options.English), options.English, "use American or British.");
        Require(Enum.IsDefined(options.Emoji), nameof(options.Emoji), options.Emoji, "use Dropped or Named.");
        CheckPronunciations(options, Require);
        CheckTimes(options, Require);
        CheckTimbres(options, Require);
        return faults.Build();
    }

    private static void CheckPaths(LightTtsOptions options, Action<bool, string, object?, string> require)
    {
        if (options.ModelPath is { } path)
            require(Directory.Exists(path), nameof(options.ModelPath), $"'{path}'",
                "there is no such directory. Name a CosyVoice2 or CosyVoice3 model directory, or leave it out and add the package "
                + "LightTts.Models.TinyEn.");
        else
            require(Directory.Exists(TtsPipeline.DefaultModelPath), nameof(options.ModelPath), "not set",
                $"and the embedded voice is not at {TtsPipeline.DefaultModelPath}. Name a model directory, or run: dotnet add package "
                + $"LightTts.Models.TinyEn");
        if (options.NativeLibraryPath is { } natives)
            require(Directory.Exists(natives), nameof(options.NativeLibraryPath), $"'{natives}'",
                "there is no such directory. Name a folder with libtorch's native libraries, or leave it out and add a libtorch package.");
    }

    private static void CheckPronunciations(LightTtsOptions options, Action<bool, string, object?, string> require)
    {
        if (options.Pronunciations is not { } path)
            return;
        try
        {
            _ = PronunciationDictionary.Load(path);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            require(false, nameof(options.Pronunciations), $"'{path}'",
                $"it cannot be used: {e.Message} Name a file with lines of 'word = spelling', or leave it out.");
        }
    }

    private static void CheckTimes(LightTtsOptions options, Action<bool, string, object?, string> require)
    {
        require(IsTime(options.RequestTimeout), nameof(options.RequestTimeout), options.RequestTimeout,
            "set a time above zero and at most 40 days, or leave it out for no limit.");
        require(options.TextIdleTimeout == Timeout.InfiniteTimeSpan
            || IsTime(options.TextIdleTimeout), nameof(options.TextIdleTimeout), options.TextIdleTimeout,
            "set a time above zero and at most 40 days, or -00:00:00.001 for no limit.");
        require(options.TextPause == Timeout.InfiniteTimeSpan || IsTime(options.TextPause), nameof(options.TextPause), options.TextPause,
            "set a time above zero and at most 40 days, or -00:00:00.001 for never.");
        require(options.MaxRedraws is >= 0 and <= 10, nameof(options.MaxRedraws), options.MaxRedraws, "set 0 to 10 (default 2).");
        require(options.MaxBufferedAudio > TimeSpan.Zero, nameof(options.MaxBufferedAudio), options.MaxBufferedAudio,
            "set a time above zero (default 00:00:30).");
        require(options.DrainTimeout >= TimeSpan.Zero && options.DrainTimeout <= LongestTimer, nameof(options.DrainTimeout), options.DrainTimeout,
            "set zero (end at once) up to 40 days (default 00:00:20).");
        require(IsTime(options.StageHangTimeout), nameof(options.StageHangTimeout), options.StageHangTimeout,
            "set a time above zero, or leave it out for the model's default.");
    }

    private static void CheckTimbres(LightTtsOptions options, Action<bool, string, object?, string> require)
    {
        require(options.TimbreSegmentBytes is >= 1L << 20 and <= 4L << 30, nameof(options.TimbreSegmentBytes), options.TimbreSegmentBytes,
            "set 1048576 (1 MB) to 4294967296 (4 GB).");
        require(options.TimbreProcessBytes >= 0, nameof(options.TimbreProcessBytes), options.TimbreProcessBytes, "set 0 or more bytes.");
        require(options.MaxTimbres is >= 1 and <= 65_536, nameof(options.MaxTimbres), options.MaxTimbres, "set 1 to 65536.");
        require(options.MaxDurableTimbres is >= 1 and <= 1_000_000, nameof(options.MaxDurableTimbres), options.MaxDurableTimbres,
            "set 1 to 1000000.");
        require((options.TimbreTenant?.Length ?? 0) <= 256, nameof(options.TimbreTenant), $"{options.TimbreTenant?.Length} characters long",
            "at most 256 are allowed.");
        require(options.TimbreExtractionWait >= TimeSpan.Zero, nameof(options.TimbreExtractionWait), options.TimbreExtractionWait,
            "set zero or more.");
    }

    private static bool IsTime(TimeSpan? time) => time is null || (time > TimeSpan.Zero && time <= LongestTimer);
}
