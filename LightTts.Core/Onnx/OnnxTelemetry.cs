using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Onnx;

/// <summary>Keeps ONNX Runtime from reporting about its user: by default its native
/// library writes a device's id and a database of events into the user's
/// cache folder, and sends them.</summary>
/// <remarks>
/// The library decides when it makes its environment, from the variable
/// ORT_DISABLE_TELEMETRY of the process, so that is set before anything of it is touched.
/// What the user or the application has set stays as it is, "0" included, which lets ONNX Runtime do as it does by itself.
/// </remarks>
internal static partial class OnnxTelemetry
{
    public const string Variable = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<bool> Silence = new(SetVariable);

    /// <summary>To be called before the first use of ONNX Runtime; does something once in a process.</summary>
    public static void TurnOff()
    {
        if (Silence.Value)
            OrtEnv.Instance().DisableTelemetryEvents();
    }

    /// <summary>Sets the variable where native code looks for it.</summary>
    /// <returns>Whether telemetry is off because of us; false where somebody had set the variable.</returns>
    private static bool SetVariable()
    {
        var chosen = Environment.GetEnvironmentVariable(Variable);
        if (OperatingSystem.IsWindows())
        {
            if (chosen is null)
                Environment.SetEnvironmentVariable(Variable, "1");
            // The C runtime has a copy of its own, made when the process began.
            SetForWindowsRuntime(chosen ?? "1");
            return chosen is null;
        }
        // .NET's own environment is a copy that native code does not see.
        SetForUnix(Variable, chosen ?? "1", overwrite: chosen is null ? 0 : 1);
        return chosen is null && Marshal.PtrToStringUTF8(GetForUnix(Variable)) == "1";
    }

    [SupportedOSPlatform("windows")]
    private static void SetForWindowsRuntime(string value)
    {
        try
        {
            _ = PutForWindows(Variable, value);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A library that is built with another runtime reads the process's own environment.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetForUnix(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetForUnix(string name);

    [LibraryImport("ucrtbase", EntryPoint = "_wputenv_s", StringMarshalling = StringMarshalling.Utf16)]
    [SupportedOSPlatform("windows")]
    private static partial int PutForWindows(string name, string value);
}
