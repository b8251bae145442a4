using Microsoft.Extensions.Options;

namespace LightTts.Extensions;

/// <summary>Checks the options when the host starts. Every message names the option, its
/// value and the cure; all that is wrong is said at once.</summary>
/// <remarks>The rules of the pipeline's own options are <see cref="TtsPipelineOptions.FindFaults"/>'s.</remarks>
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
        CheckPronunciations(options, Require);
        Require(options.Devices is null || options.FindDevices() is not null, nameof(options.Devices), $"'{options.Devices}'",
            "name devices as cuda:0,cuda:1 (or cpu), or leave it out for the one that Device says.");
        foreach (var fault in options.WithoutFiles().FindFaults())
            Require(false, OptionNames.Of(fault.Option), Shown(fault.Value), char.ToLowerInvariant(fault.Cure[0]) + fault.Cure[1..]);
        Require(Enum.IsDefined(options.WarmUp), nameof(options.WarmUp), options.WarmUp, "use Blocking, Background or Lazy.");
        Require(options.DrainTimeout >= TimeSpan.Zero && options.DrainTimeout <= LongestTimer, nameof(options.DrainTimeout), options.DrainTimeout,
            "set zero (end at once) up to 40 days (default 00:00:20).");
        Require(options.StageHangTimeout is null || (options.StageHangTimeout > TimeSpan.Zero && options.StageHangTimeout <= LongestTimer),
            nameof(options.StageHangTimeout), options.StageHangTimeout, "set a time above zero, or leave it out for the model's default.");
        return faults.Build();
    }

    /// <summary>What a message shows of a value: a name may be a whole file by mistake.</summary>
    private static object? Shown(object? value) => value is string { Length: > 64 } text ? $"{text.Length} characters long" : value;

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
}
